package order

import (
	"fmt"
	"slices"
	"strings"

	"order-processing-service/internal/domain/fault"
)

// Action says whether something may be done to an order now.
type Action struct {
	Allowed bool
	Reason  string // why not; "" when allowed
}

// Actions says what may be done to an order now.
type Actions struct {
	Pay, Ship, Deliver, Cancel Action
}

// Actions returns what may be done to the order now and, where not, why.
func (o *Order) Actions() Actions {
	status := o.Status()
	return Actions{
		Pay:     o.actionFor(status, StatusPaid),
		Ship:    o.actionFor(status, StatusShipped),
		Deliver: o.actionFor(status, StatusDelivered),
		Cancel:  o.actionFor(status, StatusCanceled),
	}
}

func (o *Order) actionFor(from, to Status) Action {
	if !slices.Contains(from.Next(), to) {
		return Action{Reason: reason(from, to)}
	}
	if err := o.roomFor(to); err != nil {
		return Action{Reason: fault.Of(err).Message}
	}
	return Action{Allowed: true}
}

// roomFor returns the fault that a move to the status would meet because the order has too many events.
// How many a move records depends on what the order has, so near the limits it is tried on a copy.
func (o *Order) roomFor(to Status) error {
	const bytes = 1 << 20 // more than the events of a move come to
	events := len(o.s.Payments) + len(o.s.Fulfillments) + 4
	if o.s.Sequence <= MaxEvents-events && o.s.EventBytes <= MaxEventBytes-bytes {
		return nil
	}
	trial := Order{s: o.Snapshot()}
	return trial.MoveTo(to, ID{}, Stamp{Time: o.s.UpdatedAt})
}

// reason says why an order can't go from one status to the other.
func reason(from, to Status) string {
	switch {
	case from == to:
		return "the order is " + from.String() + " already"
	case from == StatusCanceled:
		return "the order is CANCELED, which is the end"
	case from == StatusDelivered:
		return "the order is DELIVERED, which is the end; what comes later is a return"
	case to == StatusShipped:
		return "the order must be PAID first"
	case to == StatusDelivered:
		return "the order must be SHIPPED first"
	case to == StatusCanceled:
		return "the order is SHIPPED: it can't be canceled any more; what comes later is a return"
	default:
		return "the order is " + from.String() + ", which is further on"
	}
}

// String returns the status as it stands in JSON.
func (s Status) String() string { return string(s) }

func moveFault(from, to Status) error {
	allowed := "nothing: this status is the end"
	if next := from.Next(); len(next) > 0 {
		names := make([]string, len(next))
		for i, s := range next {
			names[i] = s.String()
		}
		allowed = strings.Join(names, ", ")
	}
	return fault.New(fault.NotAllowed, "status_not_allowed",
		fmt.Sprintf("the order can't go from %s to %s: %s; allowed now: %s", from, to, reason(from, to), allowed))
}
