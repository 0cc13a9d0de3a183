// Package order is the order aggregate: its lines, payments, fulfillments and returns, the rules by
// which it moves, and the events that tell of each change. Quantities and amounts are what is
// stored; the statuses are derived from them. There is no input or output, clock or log in here:
// time, ids and who acts are given.
//
// An Order is one unit of work: whatever is changed between New or Restore and saving it is one
// change, with one version, told by one or more events. It is not safe for concurrent use.
package order

import (
	"maps"
	"slices"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
)

// Order is the aggregate. New makes one by the rules; Restore takes one out of storage.
type Order struct {
	s       Snapshot
	changed bool
	unsaved bool
	events  []Event // recorded since New or Restore
}

// Item is what was ordered on one line.
type Item struct {
	SKU       string
	Name      string // "" when the caller gave none
	Quantity  int64
	UnitPrice money.Price
	Total     money.Amount // UnitPrice times Quantity, rounded once
}

// Line is an item and what has become of it. The counters only grow:
// Canceled + Shipped <= Quantity, Delivered <= Shipped, Returned <= Delivered.
type Line struct {
	Item
	Canceled  int64
	Shipped   int64
	Delivered int64
	Returned  int64
}

// Stamp says when a change is made and by whom.
type Stamp struct {
	Time  time.Time
	Actor string // "" when nobody is known
	Trace string // the W3C traceparent of the work that it is part of; "" when nobody records that
}

// Request is a change that was made under an idempotency key.
type Request struct {
	Key         ID          // KeyedID of the caller and the key
	Fingerprint Fingerprint // of what was asked
	Version     int         // the order's version after it
}

// ID returns the order's id.
func (o *Order) ID() ID { return o.s.ID }

// Version counts the changes of the order from 1, without gaps.
func (o *Order) Version() int { return o.s.Version }

// Sequence is the sequence of the order's newest event.
func (o *Order) Sequence() int { return o.s.Sequence }

// Total returns the sum of the line totals.
func (o *Order) Total() money.Amount { return o.s.Total }

// Changed reports whether anything was changed since New or Restore: there is a new version, and
// there are events.
func (o *Order) Changed() bool { return o.changed }

// Unsaved reports whether there is anything to store since New or Restore: a change, or a request to
// be remembered.
func (o *Order) Unsaved() bool { return o.unsaved }

// Events returns what was recorded since New or Restore, in sequence order. The caller must not
// change it.
func (o *Order) Events() []Event { return o.events }

// MoveTo brings the order to the given status by recording the facts that make it so: a captured
// external payment of what is due, a shipped fulfillment of what is left, the delivery of what was
// shipped, or the cancellation of everything, with what was paid given back. Record is the id of the
// payment or fulfillment that comes into being. The status the order has already changes nothing.
// The error is a fault of kind NotAllowed.
func (o *Order) MoveTo(target Status, record ID, at Stamp) error {
	before := o.Status()
	if target == before {
		return nil
	}
	if !slices.Contains(before.Next(), target) {
		return moveFault(before, target)
	}
	o.begin(at)
	switch target {
	case StatusPaid:
		o.capture(record, at)
	case StatusShipped:
		o.ship(record, at)
	case StatusDelivered:
		o.deliver(at)
	case StatusCanceled:
		o.cancelLines(at)
		o.giveBack(at)
	case StatusPending:
		return moveFault(before, target)
	}
	if after := o.Status(); after != before {
		o.record(Event{Type: EventOrderStatusChanged, PreviousStatus: before}, at)
	}
	return o.checkEvents()
}

// PatchMetadata sets the keys of patch and removes those whose value is nil. A patch that changes
// nothing records nothing. The error is a fault of kind Invalid, with locations under "metadata".
func (o *Order) PatchMetadata(patch map[string]*string, at Stamp) error {
	if len(patch) == 0 {
		return nil
	}
	var faults fieldFaults
	merged := maps.Clone(o.s.Metadata)
	if merged == nil {
		merged = make(map[string]string, len(patch))
	}
	changes := make(map[string]*string)
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		value := patch[key]
		if value == nil { // what is set is checked with the rest below
			checkMetadataKey(&faults, key)
		}
		current, has := merged[key]
		switch {
		case value == nil && has:
			delete(merged, key)
			changes[key] = nil
		case value != nil && (!has || current != *value):
			merged[key] = *value
			changes[key] = value
		}
	}
	checkMetadata(&faults, merged)
	if err := faults.err(); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	o.begin(at)
	o.s.Metadata = merged
	o.record(Event{Type: EventOrderMetadataChanged, Metadata: changes}, at)
	return o.checkEvents()
}

// Request returns the change that was made under the given key, if it is among those remembered.
func (o *Order) Request(key ID) (Request, bool) {
	for _, r := range o.s.Requests {
		if r.Key == key {
			return r, true
		}
	}
	return Request{}, false
}

// Remember keeps the key under which a change was asked for, also when there was nothing to change,
// and forgets the oldest beyond MaxRequests. By itself it makes no new version.
func (o *Order) Remember(key ID, fingerprint Fingerprint) {
	o.unsaved = true
	o.s.Requests = append(o.s.Requests, Request{Key: key, Fingerprint: fingerprint, Version: o.s.Version})
	if extra := len(o.s.Requests) - MaxRequests; extra > 0 {
		o.s.Requests = slices.Delete(o.s.Requests, 0, extra)
	}
}

// begin opens a change: all that is recorded until the order is saved has one version.
func (o *Order) begin(at Stamp) {
	if o.changed {
		return
	}
	o.changed, o.unsaved = true, true
	o.s.Version++
	if at.Time.After(o.s.UpdatedAt) { // clocks of several processes may differ
		o.s.UpdatedAt = at.Time
	}
}

// record adds the next event; what it does not say itself it has from the order.
func (o *Order) record(e Event, at Stamp) {
	o.s.Sequence++
	e.Sequence, e.Version = o.s.Sequence, o.s.Version
	e.Time, e.Actor, e.Trace = at.Time, at.Actor, at.Trace
	e.Status = o.Status()
	o.s.EventBytes += e.Size()
	o.events = append(o.events, e)
}

func (o *Order) checkEvents() error {
	if o.s.Sequence > MaxEvents {
		return fault.New(fault.NotAllowed, "too_many_events",
			"the order has had 10,000 events, which is the most an order can have; make a new order for what is left")
	}
	if o.s.EventBytes > MaxEventBytes {
		return fault.New(fault.NotAllowed, "order_too_large",
			"the order's events have come to 8 MiB, which is the most an order can have; make a new order for what is left")
	}
	return nil
}
