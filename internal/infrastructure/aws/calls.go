package aws

import (
	"context"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Calls puts events into calls that take several entries, each of which may be refused on its own. A call has at most one
// event of an order, so that none is taken before an earlier one; orders share calls.
type Calls[T any] struct {
	MaxEntries int
	// MaxBytes bounds the sizes of a call's entries together. One that is larger goes alone.
	MaxBytes int
	// Entry makes the entry of an event, and says its size in bytes as the service counts it.
	Entry func(m *delivery.Message, e *order.Event) (entry T, size int)
	// Send sends entries in one call. It returns one error for each entry, nil for those that were taken, or
	// one for the call as a whole.
	Send func(ctx context.Context, entries []T) ([]error, error)
}

// Deliver sends the events of the messages, as delivery.Subscriber has it.
func (c *Calls[T]) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	results := make([]delivery.Result, len(messages))
	round := make([]int, 0, len(messages)) // the messages whose next event is yet to be sent
	for i := range messages {
		round = append(round, i)
	}
	call := call[T]{calls: c, results: results}
	for len(round) > 0 {
		for _, i := range round {
			m := &messages[i]
			entry, size := c.Entry(m, &m.Events[results[i].Told])
			if call.full(size) {
				call.send(ctx)
			}
			call.add(i, entry, size)
		}
		call.send(ctx)
		next := round[:0]
		for _, i := range round {
			if results[i].Err == nil && results[i].Told < len(messages[i].Events) {
				next = append(next, i)
			}
		}
		round = next
	}
	return results
}

// call is one call under way, and what the calls before it have come to.
type call[T any] struct {
	calls   *Calls[T]
	results []delivery.Result
	entries []T
	of      []int // the message of each entry
	bytes   int
	down    error // why nothing more is sent
}

func (c *call[T]) full(size int) bool {
	return len(c.entries) == c.calls.MaxEntries || len(c.entries) > 0 && c.bytes+size > c.calls.MaxBytes
}

func (c *call[T]) add(message int, entry T, size int) {
	c.entries, c.of, c.bytes = append(c.entries, entry), append(c.of, message), c.bytes+size
}

// send sends the entries, notes what came of each and begins the next call.
func (c *call[T]) send(ctx context.Context) {
	c.sendAll(ctx, c.entries, c.of)
	clear(c.entries)
	c.entries, c.of, c.bytes = c.entries[:0], c.of[:0], 0
}

func (c *call[T]) sendAll(ctx context.Context, entries []T, of []int) {
	var errs []error
	err := c.down
	if len(entries) == 0 {
		return
	}
	if err == nil {
		errs, err = c.calls.Send(ctx, entries)
	}
	switch {
	case err == nil:
		for n, i := range of {
			if errs[n] != nil {
				c.results[i].Err = errs[n]
			} else {
				c.results[i].Told++
			}
		}
		return
	case fault.KindOf(err) == fault.Unavailable, ctx.Err() != nil:
		c.down = err // it would be the same for the rest
	case len(entries) > 1:
		for n := range entries { // one of them spoils it for the others
			c.sendAll(ctx, entries[n:n+1], of[n:n+1])
		}
		return
	}
	for _, i := range of {
		c.results[i].Err = err
	}
}
