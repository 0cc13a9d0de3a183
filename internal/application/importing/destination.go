package importing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
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
		o, err := order.New(dryID, orders[i].Draft, "", order.Stamp{Time: d.Now()})
		if err != nil {
			outcomes[i].Err = err
			continue
		}
		outcomes[i] = outcomeOf(o)
	}
	return outcomes, nil
}

// dryID is the id of orders that are made only to see whether they can be.
var dryID = order.KeyedID("", "dry run", "")

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

// Bounds of the waiting for a destination that is away.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 5 * time.Second
	maxWait   = 30 * time.Second // whatever the destination asks for
	maxTries  = 12               // in a row without a single order placed
)

// placeAll places orders, again and again those that the destination was not available for.
func placeAll(ctx context.Context, to Destination, orders []ordering.Place) ([]Outcome, error) {
	outcomes := make([]Outcome, len(orders))
	left := make([]int, len(orders)) // which orders are yet to be placed
	for i := range left {
		left[i] = i
	}
	wait := firstWait
	for tries := 1; ; tries++ {
		answers, err := to.Place(ctx, orders)
		if err != nil && !passing(err) {
			return nil, err
		}
		var again []int
		var retry []ordering.Place
		for j, i := range left {
			if err == nil {
				outcomes[i] = answers[j]
			}
			failed := errors.Join(err, outcomes[i].Err)
			switch {
			case failed == nil:
			case passing(failed):
				again, retry = append(again, i), append(retry, orders[j])
			case !refusal(failed):
				return nil, failed
			}
		}
		if len(again) == 0 {
			return outcomes, nil
		}
		if len(again) < len(left) {
			tries, wait = 1, firstWait
		}
		last := errors.Join(err, outcomes[again[0]].Err)
		if tries == maxTries {
			return nil, last
		}
		left, orders = again, retry
		if err := sleep(ctx, max(wait, min(fault.Of(last).RetryAfter, maxWait))); err != nil {
			return nil, err
		}
		wait = min(2*wait, lastWait)
	}
}

// passing reports whether an error is worth another try.
func passing(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Unavailable || kind == fault.TooMany
}

// refusal reports whether an error is about the order and not about the destination.
func refusal(err error) bool {
	switch fault.KindOf(err) {
	case fault.Malformed, fault.Invalid, fault.NotAllowed, fault.TooLarge:
		return true
	default:
		return false
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
