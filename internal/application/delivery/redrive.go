package delivery

import (
	"context"
	"sync"

	"order-processing-service/internal/domain/fault"
)

// MaxRedrive is how many parked deliveries RedriveParked looks at in a call.
const MaxRedrive = 1_000

// redrivers is how many deliveries are redriven at the same time, so that a store that gathers writes
// can.
const redrivers = 32

// Redriven answers RedriveParked.
type Redriven struct {
	// Count is how many deliveries are tried again.
	Count int
	// Next continues after what was looked at; "" at the end.
	Next string
}

// RedriveParked has the parked deliveries of a subscriber, or of all if it is "", tried again at once,
// with all their tries ahead of them. It looks at MaxRedrive parked deliveries at most, by order id, and
// goes on after the Next of an earlier call, so that what is parked anew meanwhile does not come around
// again. What somebody else has acted on meanwhile is passed over. The error is a fault of kind Invalid
// for a place that no answer named, or Unavailable; the same call can then be made again.
func (s *Operations) RedriveParked(ctx context.Context, subscriber, after string) (Redriven, error) {
	r := Redriven{Next: after}
	for looked := 0; looked < MaxRedrive; looked += MaxLimit {
		page, err := s.store.Deliveries(ctx, Query{State: StateParked, Limit: MaxLimit, After: r.Next})
		if err != nil {
			return Redriven{}, err
		}
		count, err := s.redrivePage(ctx, subscriber, page.Deliveries)
		if count > 0 {
			s.wake()
		}
		if err != nil {
			return Redriven{}, err
		}
		r.Count, r.Next = r.Count+count, page.Next
		if r.Next == "" {
			break
		}
	}
	return r, nil
}

// redrivePage redrives those of the deliveries that are the subscriber's, and counts them. After an
// error no more are begun; those that were are finished.
func (s *Operations) redrivePage(ctx context.Context, subscriber string, page []Delivery) (count int, err error) {
	goesOn, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex // guards count and err
	var wg sync.WaitGroup
	free := make(chan struct{}, redrivers)
	for i := range page {
		d := &page[i]
		if subscriber != "" && d.Track.Subscriber != subscriber {
			continue
		}
		free <- struct{}{}
		if goesOn.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			redriveErr := s.store.Redrive(ctx, d.Order, d.Track.Subscriber, s.now())
			mu.Lock()
			defer mu.Unlock()
			switch kind := fault.KindOf(redriveErr); {
			case redriveErr == nil:
				count++
			case kind == fault.NotFound, kind == fault.NotAllowed: // somebody else was faster
			case err == nil:
				err = redriveErr
				stop()
			}
		})
	}
	wg.Wait()
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return count, err
}
