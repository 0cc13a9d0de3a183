package order

import (
	"fmt"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
)

// Legacy is an order as a service kept it that stored its status, and none of the facts from which a
// status is derived here.
type Legacy struct {
	ID         ID
	CustomerID string
	Currency   money.Currency
	Items      []Item // without totals, which are worked out
	Status     Status
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Adopt takes over an order of another service, as version 1 with OrderCreated as its only event. It is
// given the facts from which its status follows: a payment of the total, taken outside this service; one
// fulfillment of everything; or the cancellation of everything. How the order came by that status is not
// asked. Texts are kept as they are, however long: what a caller must keep to is not asked either. The
// ids of what comes into being are derived from the order's, so that adopting it again gives the same.
// An error says what is wrong, beginning with the place of it.
func Adopt(l Legacy) (*Order, Event, error) {
	if !l.Status.Valid() {
		return nil, Event{}, fmt.Errorf("status is %q, which is none of %s", l.Status, Statuses())
	}
	if n := len(l.Items); n == 0 || n > MaxLines {
		return nil, Event{}, fmt.Errorf("items has %d lines; an order has 1 to %d", n, MaxLines)
	}
	o := &Order{s: Snapshot{
		ID: l.ID, Version: 1, CustomerID: l.CustomerID, Currency: l.Currency,
		PlacedAt: l.CreatedAt, CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt,
	}}
	created := &CreatedFact{Currency: l.Currency, PlacedAt: l.CreatedAt}
	for i, item := range l.Items {
		if err := o.adoptLine(item); err != nil {
			return nil, Event{}, fmt.Errorf("items[%d].%w", i, err)
		}
		created.Items = append(created.Items, o.s.Lines[i].Item)
	}
	created.Total = o.s.Total
	o.adoptFacts(l.Status)
	if o.Status() != l.Status {
		return nil, Event{}, fmt.Errorf("status is %s, but follows as %s", l.Status, o.Status())
	}
	o.record(Event{Type: EventOrderCreated, Created: created}, Stamp{Time: l.CreatedAt})
	if err := o.checkEvents(); err != nil {
		return nil, Event{}, err
	}
	restored, err := Restore(o.s)
	return restored, o.events[0], err
}

func (o *Order) adoptLine(item Item) (err error) {
	if item.Quantity < 1 {
		return fmt.Errorf("quantity is %d; it must be 1 or more", item.Quantity)
	}
	if item.Total, err = item.UnitPrice.Times(item.Quantity, o.s.Currency); err != nil {
		return fmt.Errorf("unit_price times quantity %s", fault.Of(err).Message)
	}
	if o.s.Total, err = o.s.Total.Add(item.Total); err != nil {
		return fmt.Errorf("unit_price: with it, the order's total %s", fault.Of(err).Message)
	}
	o.s.Lines = append(o.s.Lines, Line{Item: item})
	return nil
}

// adoptFacts records what makes the order what status says, without telling of it. The dates of it are
// not known; the last change is as near as can be said.
func (o *Order) adoptFacts(status Status) {
	const kind = "adopted"
	paid, shipped, delivered := false, false, false
	switch status {
	case StatusPending:
	case StatusPaid:
		paid = true
	case StatusShipped:
		paid, shipped = true, true
	case StatusDelivered:
		paid, shipped, delivered = true, true, true
	case StatusCanceled:
		for i := range o.s.Lines {
			o.s.Lines[i].Canceled = o.s.Lines[i].Quantity
		}
	}
	if paid {
		o.s.Payments = []Payment{{
			ID: KeyedID(o.s.ID.String(), kind, "payment"), State: PaymentStateCaptured, Provider: ProviderExternal,
			Amount: o.s.Total, CreatedAt: o.s.UpdatedAt, UpdatedAt: o.s.UpdatedAt,
		}}
	}
	if shipped {
		f := Fulfillment{
			ID: KeyedID(o.s.ID.String(), kind, "fulfillment"), State: FulfillmentStateShipped,
			CreatedAt: o.s.UpdatedAt, UpdatedAt: o.s.UpdatedAt,
		}
		for i := range o.s.Lines {
			l := &o.s.Lines[i]
			l.Shipped = l.Quantity
			f.Lines = append(f.Lines, LineQuantity{Line: i + 1, Quantity: l.Quantity})
		}
		if delivered {
			f.State = FulfillmentStateDelivered
			for i := range o.s.Lines {
				o.s.Lines[i].Delivered = o.s.Lines[i].Quantity
			}
		}
		o.s.Fulfillments = []Fulfillment{f}
	}
}
