// Package storetest is the contract of a store of orders, as tests that any store must pass: what the
// comments of ordering.Store, delivery.Store, copying.Source and copying.Destination promise, held
// against a store that a Harness opens.
// Run is the table of contents; each concern has a file of its own.
//
// The kit gives every time and id itself, so a store that looks at a clock of its own is found out.
// Every store that a test opens is held against the invariants of orders once more when the test ends.
package storetest

import (
	"context"
	"testing"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// Store is what is tested: all ports, and an end. Close waits for calls under way or ends them, and
// may be called more than once; a call after it is answered with a fault of kind Unavailable.
type Store interface {
	ordering.Store
	delivery.Store
	copying.Source
	copying.Destination
	Close() error
}

// Harness says how to come by stores, and what kind they are.
type Harness struct {
	// New makes an empty place to keep orders in, apart from all others. It is gone with the test.
	New func(t *testing.T) Place
	// Exclusive declares that a place has one open store at a time: a second one is refused. Else
	// several may be open at once, as several processes are, and share the work.
	Exclusive bool
}

// Place is where orders are kept: a file, a database.
type Place struct {
	// Open opens a store on the place. It is called again after Close, to find everything there.
	Open func(ctx context.Context) (Store, error)
	// Cut makes the place unreachable for the stores that are open on it until heal is called. Nil
	// declares that a place can't be lost while a store is open on it.
	Cut func() (heal func())
	// Damage spoils what is stored of one order.
	Damage Damage
}

// Damage are ways to overwrite a part of what is stored of an order, while a store is open on the
// place, with what can't be read. A nil way declares that nothing can come between.
type Damage struct {
	// Order spoils the order itself; Tracks, who is yet to be told of it.
	Order, Tracks func(id order.ID)
}

// Run holds the harness's stores against the contract.
func Run(t *testing.T, h Harness) {
	concerns := []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"create", testCreate},
		{"batch", testBatch},
		{"read", testRead},
		{"limits", testLimits},
		{"change", testChange},
		{"idempotency", testIdempotency},
		{"remember", testRemember},
		{"events", testEvents},
		{"list", testList},
		{"filter", testFilter},
		{"handover", testHandover},
		{"claim", testClaim},
		{"settle", testSettle},
		{"park", testPark},
		{"deliveries", testDeliveries},
		{"backlog", testBacklog},
		{"concurrency", testConcurrency},
		{"history", testHistory},
		{"model", testModel},
		{"cancel", testCancel},
		{"cut", testCut},
		{"damage", testDamage},
		{"copy", testCopy},
		{"lifecycle", testLifecycle},
		{"away", testAway},
	}
	for _, c := range concerns {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, h)
		})
	}
}
