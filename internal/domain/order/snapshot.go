package order

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"order-processing-service/internal/domain/money"
)

// Snapshot is everything that is stored of an order, but for its events. Times are UTC, to the
// millisecond.
type Snapshot struct {
	ID           ID
	Version      int
	Sequence     int
	EventBytes   int // about what the events take where they are stored; at most MaxEventBytes
	CustomerID   string
	Reference    string
	Currency     money.Currency
	Total        money.Amount
	Lines        []Line
	Payments     []Payment
	Fulfillments []Fulfillment
	Returns      []Return
	Metadata     map[string]string
	Requests     []Request   // oldest first
	Origin       Fingerprint // of the request that made the order under an idempotency key, else ""
	PlacedAt     time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Snapshot returns what is to be stored. It shares nothing with the order.
func (o *Order) Snapshot() Snapshot { return o.s.clone() }

// View returns the stored facts without copying them. It is for reading at once: the caller must not
// change what it points to, nor keep it beyond the order's next change.
func (o *Order) View() *Snapshot { return &o.s }

// Restore takes an order out of storage and owns s from then on. It enforces no rule that a caller
// must keep, only what the rest of the package relies on; an error means that what was stored is
// damaged.
func Restore(s Snapshot) (*Order, error) {
	switch {
	case s.ID.IsZero():
		return nil, errors.New("restore order: no id")
	case s.Version < 1 || s.Sequence < 1:
		return nil, fmt.Errorf("restore order %s: version %d and sequence %d must be 1 or more", s.ID, s.Version, s.Sequence)
	case s.Currency.IsZero():
		return nil, fmt.Errorf("restore order %s: no currency", s.ID)
	case len(s.Lines) == 0:
		return nil, fmt.Errorf("restore order %s: no lines", s.ID)
	}
	var total money.Amount
	for i := range s.Lines {
		l := &s.Lines[i]
		if l.Canceled < 0 || l.Returned < 0 || l.Returned > l.Delivered || l.Delivered > l.Shipped || l.Shipped+l.Canceled > l.Quantity {
			return nil, fmt.Errorf("restore order %s: the counters of line %d contradict each other", s.ID, i+1)
		}
		total += l.Total
	}
	if total != s.Total {
		return nil, fmt.Errorf("restore order %s: the total is %d, its lines come to %d", s.ID, s.Total, total)
	}
	for i := range s.Fulfillments {
		for _, part := range s.Fulfillments[i].Lines {
			if part.Line < 1 || part.Line > len(s.Lines) {
				return nil, fmt.Errorf("restore order %s: fulfillment %s names line %d", s.ID, s.Fulfillments[i].ID, part.Line)
			}
		}
	}
	return &Order{s: s}, nil
}

func (s *Snapshot) clone() Snapshot {
	c := *s
	c.Lines = slices.Clone(s.Lines)
	c.Payments = slices.Clone(s.Payments)
	for i := range c.Payments {
		c.Payments[i].Refunds = slices.Clone(c.Payments[i].Refunds)
	}
	c.Fulfillments = slices.Clone(s.Fulfillments)
	for i := range c.Fulfillments {
		c.Fulfillments[i].Lines = slices.Clone(c.Fulfillments[i].Lines)
	}
	c.Returns = slices.Clone(s.Returns)
	for i := range c.Returns {
		c.Returns[i].Lines = slices.Clone(c.Returns[i].Lines)
	}
	c.Metadata = maps.Clone(s.Metadata)
	c.Requests = slices.Clone(s.Requests)
	return c
}
