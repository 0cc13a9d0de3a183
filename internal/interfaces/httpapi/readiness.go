package httpapi

import (
	"context"
	"errors"
	"time"

	"order-processing-service/internal/domain/fault"
)

// readyFor is how long the answer to one look at the store is good for all who ask.
const readyFor = time.Second

// readiness shares one look at the store among everybody who asks: a look is a durable write, and who
// asks need not say who they are.
type readiness struct {
	turn  chan struct{} // has room for one: who puts it in may use the rest
	until time.Time     // when err is too old
	err   error
}

func newReadiness() readiness { return readiness{turn: make(chan struct{}, 1)} }

// check answers nil if look did, less than readyFor ago or now. One look goes on at a time; whoever asks
// meanwhile waits for its answer. Look gets, and waiting takes, no longer than timeout.
func (r *readiness) check(ctx context.Context, timeout time.Duration, look func(context.Context) error) error {
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case r.turn <- struct{}{}:
	case <-waiting.Done():
		return inTime(waiting.Err())
	}
	defer func() { <-r.turn }()
	if time.Now().Before(r.until) {
		return r.err
	}
	// The look is for the others too, so that it does not end with the caller who happened to begin it.
	looking, stop := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer stop()
	r.err = inTime(look(looking))
	r.until = time.Now().Add(readyFor)
	return r.err
}

// inTime makes a fault of the error that the time is over.
func inTime(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Unavailable, "not_ready", "the store does not answer in time")
	}
	return err
}
