package importing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// Destination is where orders go. Implementations are safe for concurrent use.
type Destination interface {
	// Place places up to ordering.MaxBatch orders, each on its own, and answers each in the same
	// order. An error concerns them all: none of them is known to be placed. Errors, also those of
	// single orders, are faults: Unavailable is worth another try. Each order has an idempotency key,
	// so trying again makes none twice.
	Place(ctx context.Context, orders []ordering.Place) ([]Outcome, error)
}

// Outcome is what became of one order.
type Outcome struct {
	// Existing: the order was there already, with the same content.
	Existing bool
	Currency money.Currency
	Total    money.Amount
	// Err is why there is no such order; nil when there is. ordering.ErrKeyReused says that there is
	// one of the same reference with other content.
	Err error
}

// Direct places orders with the use case itself.
type Direct struct {
	Service *ordering.Service
	// Caller owns the orders' idempotency keys and is the actor of their making. The same orders
	// from another caller are other orders.
	Caller ordering.Caller
}

// Place implements Destination.
func (d Direct) Place(ctx context.Context, orders []ordering.Place) ([]Outcome, error) {
	outcomes := make([]Outcome, len(orders))
	for i, placed := range d.Service.PlaceBatch(ctx, d.Caller, orders) {
		if placed.Err != nil {
			outcomes[i].Err = placed.Err
			continue
		}
		outcomes[i] = outcomeOf(placed.Order)
		outcomes[i].Existing = placed.Replayed
	}
	return outcomes, nil
}

// DryRun is a destination that holds orders against the rules and keeps none.
type DryRun struct {
	// Now is the clock. It is needed.
	Now func() time.Time
}

// Place implements Destination. No order is ever there already.
func (d DryRun) Place(_ context.Context, orders []ordering.Place) ([]Outcome, error) {
	outcomes := make([]Outcome, len(orders))
	for i := range orders {
		o, err := rules(orders[i].Draft, d.Now())
		if err != nil {
			outcomes[i].Err = err
			continue
		}
		outcomes[i] = outcomeOf(o)
	}
	return outcomes, nil
}

func outcomeOf(o *order.Order) Outcome {
	return Outcome{Currency: o.View().Currency, Total: o.Total()}
}

// KeyOf returns the idempotency key that a reference decides: the reference itself or, when it can't
// be part of a key, its SHA-256.
func KeyOf(reference string) string {
	key := "import/" + reference
	if ordering.CheckIdempotencyKey(key) == nil {
		return key
	}
	sum := sha256.Sum256([]byte(reference))
	return "import-sha256/" + hex.EncodeToString(sum[:])
}
