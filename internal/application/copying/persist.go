package copying

import (
	"context"
	"errors"
	"time"

	"order-processing-service/internal/domain/fault"
)

// Bounds of the waiting for a store that is away. A store waits for a while itself before it says so.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 2 * time.Second
	maxTries  = 6
)

// persist makes a call until it succeeds, fails for a reason that waiting does not mend, or the store has
// been away for too long.
func persist(ctx context.Context, call func() error) error {
	wait := firstWait
	for try := 1; ; try++ {
		err := call()
		if !isPassing(err) || try == maxTries {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		wait = min(2*wait, lastWait)
	}
}

// isPassing reports whether an error is worth another try.
func isPassing(err error) bool { return err != nil && fault.KindOf(err) == fault.Unavailable }

// isOwn reports whether an error is about one order and not about the store.
func isOwn(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok
}
