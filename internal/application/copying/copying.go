// Package copying moves orders from one store to another: each with its history, and with who has been
// told of it. It goes through the orders of the source by id, a page at a time, so that memory stays
// bounded, and inserts them at the destination. What is there already is compared and never written
// over, so a copy that was stopped is just run again.
//
// Each order is read whole, as it was at one moment. Orders that are made or changed while a copy runs
// may be missed: the source is best left alone meanwhile.
package copying

import (
	"context"
	"fmt"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// Record is all that is kept of one order.
type Record struct {
	Order *order.Order
	// Events are all of the order's events, from sequence 1.
	Events []order.Event
	// Tracks say who has been told of them, in no particular order.
	Tracks delivery.Tracks
}

// Source is a store to copy from. Implementations are safe for concurrent use, and answer with a fault of
// kind Unavailable while they are away.
type Source interface {
	// CountRecords says how many orders there are, about.
	CountRecords(ctx context.Context) (int64, error)
	// Records returns a page of orders by id, lowest first. Each is what was kept at one moment; all of a
	// page need not be of the same moment. Orders that were there before the first page and stay come
	// once, whatever is made meanwhile.
	Records(ctx context.Context, r Range) (Page, error)
}

// Range says which page of records is wanted.
type Range struct {
	After order.ID // only ids above it; zero begins with the lowest
	Limit int      // records at most, 1 or more
	Bytes int      // the page ends with the record that brings it to so many bytes, as they are stored
}

// Page is some records. Next continues after it; zero at the end. A page before the end may be empty.
type Page struct {
	Records    []Record
	Unreadable []Unreadable
	Next       order.ID
}

// Unreadable is an order that is there, but that can't be read.
type Unreadable struct {
	ID  string // of the order, or what stands in its place
	Err error
}

// Destination is a store to copy to. Implementations are safe for concurrent use.
type Destination interface {
	// InsertRecords inserts records as they are, each on its own, and answers each in the same order. An
	// answer without an error is durable. It writes over nothing: a record whose id is there already is
	// compared with what is there.
	InsertRecords(ctx context.Context, records []Record) []Inserted
}

// Inserted answers a Record.
type Inserted struct {
	// Existing: an order with this id was there already, and is as it was.
	Existing bool
	// Differs says in a few words how the order that is there differs from the record; "" when it does
	// not.
	Differs string
	// Err is why it is not known to be there. A fault of kind Unavailable is worth another try; another
	// fault is about this record; any other error is about the store.
	Err error
}

// check reports what a record that was read lacks.
func (r Record) check() error {
	if n := len(r.Events); n != r.Order.Sequence() {
		return fmt.Errorf("it has %d events, and the newest is event %d", n, r.Order.Sequence())
	}
	return nil
}

// released returns the record without leases. Whoever holds one works on the source and will never give
// it back at the destination, so what is leased is due there when the lease would have ended, for
// whoever looks first. The date stays, so that a second copy finds what the first one made.
func (r Record) released() Record {
	tracks := make(delivery.Tracks, len(r.Tracks))
	for i, t := range r.Tracks {
		t.Owner = ""
		tracks[i] = t
	}
	r.Tracks = tracks
	return r
}
