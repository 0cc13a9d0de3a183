package importing

import (
	"context"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
)

// Bounds of the waiting for a destination that is away.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 5 * time.Second
	maxWait   = 30 * time.Second // whatever the destination asks for
	maxTries  = 12               // in a row without a single order placed
)

// placeAll places orders, again and again those that the destination was not available for; before each
// wait, troubled is told why. The error says that it can't or won't take them, none of them in particular.
func placeAll(ctx context.Context, to Destination, orders []ordering.Place, troubled func(error)) ([]Outcome, error) {
	outcomes := make([]Outcome, len(orders))
	left := make([]int, len(orders)) // which orders are yet to be placed
	for i := range left {
		left[i] = i
	}
	wait := firstWait
	for tries := 1; ; tries++ {
		again, passing, err := placeOnce(ctx, to, orders, left, outcomes)
		switch {
		case err != nil:
			return nil, err
		case len(again) == 0:
			return outcomes, nil
		case len(again) < len(left):
			tries, wait = 1, firstWait
		case tries == maxTries:
			return nil, passing
		}
		left = again
		troubled(passing)
		if err := sleep(ctx, max(wait, min(fault.Of(passing).RetryAfter, maxWait))); err != nil {
			return nil, err
		}
		wait = min(2*wait, lastWait)
	}
}

// placeOnce places the orders with the indexes in left, and notes what became of them. It returns
// those that are worth another try, and why one of them is.
func placeOnce(
	ctx context.Context, to Destination, orders []ordering.Place, left []int, outcomes []Outcome,
) (again []int, passing, err error) {
	if len(left) < len(orders) {
		some := make([]ordering.Place, len(left))
		for j, i := range left {
			some[j] = orders[i]
		}
		orders = some
	}
	answers, err := to.Place(ctx, orders)
	if err != nil {
		if isPassing(err) {
			return left, err, nil
		}
		return nil, nil, err
	}
	for j, i := range left {
		outcomes[i] = answers[j]
		switch err := answers[j].Err; {
		case err == nil, isRefusal(err):
		case isPassing(err):
			again, passing = append(again, i), err
		default:
			return nil, nil, err
		}
	}
	return again, passing, nil
}

// isPassing reports whether an error is worth another try.
func isPassing(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Unavailable || kind == fault.TooMany
}

// isRefusal reports whether an error is about the order and not about the destination.
func isRefusal(err error) bool {
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
