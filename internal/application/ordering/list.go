package ordering

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"iter"
	"strings"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Limits of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 200
	// MaxPageWeight is how much a page weighs at most, but for its last order, in about the bytes of memory that its orders
	// take. Two hundred orders of 40 lines weigh less.
	MaxPageWeight = 2 << 20
)

// Query says which orders are wanted. Zero fields do not restrict. The times "after" are inclusive
// and those "before" exclusive, so that adjoining windows share no order.
type Query struct {
	Status            order.Status
	PaymentStatus     order.PaymentStatus
	FulfillmentStatus order.FulfillmentStatus
	CustomerID        string
	Reference         string
	CreatedAfter      time.Time
	CreatedBefore     time.Time
	PlacedAfter       time.Time
	PlacedBefore      time.Time
	// After continues a list after this place; the zero value begins it.
	After Cursor
	// Limit is how many orders to return, 1 to MaxLimit.
	Limit int
	// Weight ends the list with the order with which it weighs so much, by order.Snapshot.Weight, so that huge orders do not
	// fill the memory; 0 for never.
	Weight int
}

// Full tells whether a list that weighs so much ends for its weight.
func (q *Query) Full(weight int) bool { return q.Weight > 0 && weight >= q.Weight }

// Cursor is a place in the list of orders: that of the order made then with that id. A list that
// goes on from a cursor shows no order twice and leaves none out, however many are made meanwhile:
// new ones come before it.
type Cursor struct {
	CreatedAt time.Time
	ID        order.ID
}

// IsZero reports whether c is the beginning of the list.
func (c Cursor) IsZero() bool { return c.ID.IsZero() }

// String returns the opaque text form, or "" for the zero value.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	b := binary.BigEndian.AppendUint64([]byte{cursorVersion}, uint64(c.CreatedAt.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(b, c.ID[:]...))
}

const (
	cursorVersion = 1
	cursorSize    = 1 + 8 + 12
)

// ParseCursor reads the text form. The error is a fault of kind Invalid.
func ParseCursor(text string) (Cursor, error) {
	invalid := fault.New(fault.Invalid, "cursor_invalid", "must be the next_cursor of an earlier answer, unchanged")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != cursorSize || b[0] != cursorVersion || strings.ContainsAny(text, "\r\n") { // which base64 passes over
		return Cursor{}, invalid
	}
	c := Cursor{CreatedAt: time.UnixMilli(int64(binary.BigEndian.Uint64(b[1:]))).UTC(), ID: order.ID(b[9:])} //nolint:gosec // bits only
	if y := c.CreatedAt.Year(); c.ID.IsZero() || y < 1 || y > 9999 {
		return Cursor{}, invalid
	}
	return c, nil
}

// Page is a part of a list. Next continues after it; it is zero at the end.
type Page struct {
	Orders []*order.Order
	Next   Cursor
}

// List returns a page of the caller's orders that match, newest first by creation, then by id. A page of large orders may be
// shorter than its limit, and have a Next all the same: see MaxPageWeight. The error is a fault of kind Invalid for a limit out of bounds, or Unavailable.
func (s *Service) List(ctx context.Context, caller Caller, q Query) (Page, error) {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return Page{}, fault.New(fault.Invalid, "limit_invalid", "must be a whole number from 1 to 200")
	}
	if caller.Customer != "" {
		if q.CustomerID != "" && q.CustomerID != caller.Customer {
			return Page{}, nil
		}
		q.CustomerID = caller.Customer
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	q.Weight = MaxPageWeight
	orders, err := s.store.List(ctx, q)
	if err != nil {
		return Page{}, err
	}
	page := Page{Orders: orders[:min(len(orders), limit)]}
	if len(orders) > limit || q.Full(weightOf(orders)) {
		last := page.Orders[len(page.Orders)-1].View()
		page.Next = Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	return page, nil
}

func weightOf(orders []*order.Order) int {
	weight := 0
	for _, o := range orders {
		weight += o.View().Weight()
	}
	return weight
}

// All yields every order of the caller that matches, in the order of List, reading a page at a time: memory stays
// bounded and no reader is held open between pages. It ends after the first error.
func (s *Service) All(ctx context.Context, caller Caller, q Query) iter.Seq2[*order.Order, error] {
	return func(yield func(*order.Order, error) bool) {
		q.Limit = MaxLimit
		for {
			page, err := s.List(ctx, caller, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, o := range page.Orders {
				if !yield(o, nil) {
					return
				}
			}
			if page.Next.IsZero() {
				return
			}
			q.After = page.Next
		}
	}
}
