package ordering

import (
	"context"
	"fmt"
	"slices"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Change asks for a change of one order.
type Change struct {
	ID order.ID
	// Status to move to; "" for none.
	Status order.Status
	// Metadata keys to set, or to remove where nil; nil for none.
	Metadata map[string]*string
	// Report is what another system says of the order; nil for none. Its Record is decided by the idempotency key, which it
	// needs; Status and Metadata must be empty then.
	Report *order.Report
	// IfVersions are versions of which the order must have one; nil for any, empty for none.
	IfVersions []int
	// IdempotencyKey makes a repeat of the request harmless; "" for none.
	IdempotencyKey string
}

// Revised answers a Change.
type Revised struct {
	Order *order.Order
	// Replayed: the change was made already, by the same request under the same key.
	Replayed bool
}

// kindChange is what is made, in the keys by which an order remembers its changes.
const kindChange = "change"

// Change changes an order and returns it when the change is durable. What the order is already
// changes nothing and makes no version, but its key is remembered too. Errors are faults: NotFound, NotAllowed (with what is
// allowed), Stale when the version is none of IfVersions, Invalid, Unavailable.
func (s *Service) Change(ctx context.Context, caller Caller, c Change) (Revised, error) {
	now := s.now()
	r := revision{
		Change: c, caller: caller,
		stamp:  order.Stamp{Time: order.Moment(now), Actor: caller.Subject, Trace: caller.Trace},
		record: s.ids.next(now),
	}
	if c.IdempotencyKey != "" || c.Report != nil {
		if err := CheckIdempotencyKey(c.IdempotencyKey); err != nil {
			return Revised{}, err
		}
		r.key = order.KeyedID(caller.Subject, kindChange, c.IdempotencyKey)
		r.fingerprint = order.ChangeFingerprint(c.Status, c.Metadata)
	}
	if c.Report != nil {
		r.report(caller, *c.Report)
	}
	var replayed bool
	h := s.teller.Offer(now)
	changed, err := s.store.Change(ctx, c.ID, h, now, func(o *order.Order) (err error) {
		replayed, err = r.apply(o)
		return err
	})
	if err != nil {
		s.teller.Decline(h)
		return Revised{}, err
	}
	if changed.Order.Changed() {
		for _, event := range changed.Order.Events() {
			if event.Type == order.EventOrderStatusChanged {
				s.meter.Moved(event.Status)
			}
		}
		s.teller.Accept(h, changed.Order, changed.Order.Events(), changed.Leased)
	} else {
		s.teller.Decline(h)
	}
	return Revised{Order: changed.Order, Replayed: replayed}, nil
}

// revision is a change with all that it depends on besides the order, so that it can be applied more
// than once.
type revision struct {
	Change
	caller      Caller
	stamp       order.Stamp
	record      order.ID // of the payment or fulfillment that comes into being
	key         order.ID // zero for none
	fingerprint order.Fingerprint
}

// report has the revision follow a report. Reports of different types have nothing to do with each other, even if they come
// under one key.
func (r *revision) report(caller Caller, report order.Report) {
	report.Record = order.KeyedID(caller.Subject, "record of "+string(report.Type), r.IdempotencyKey)
	r.Report = &report
	r.key = order.KeyedID(caller.Subject, string(report.Type), r.IdempotencyKey)
	r.fingerprint = report.Fingerprint()
}

// apply changes the order, unless the same request has done so before.
func (r *revision) apply(o *order.Order) (replayed bool, err error) {
	if !r.caller.sees(o) {
		return false, order.ErrNotFound
	}
	if earlier, ok := o.Request(r.key); ok && !r.key.IsZero() {
		if earlier.Fingerprint != r.fingerprint {
			return false, ErrKeyReused
		}
		return true, nil
	}
	if r.IfVersions != nil && !slices.Contains(r.IfVersions, o.Version()) {
		return false, fault.New(fault.Stale, "version_stale", fmt.Sprintf(
			"the order is not in the version you know: its version is %d now; read it again and decide anew", o.Version()))
	}
	if err := o.PatchMetadata(r.Metadata, r.stamp); err != nil {
		return false, err
	}
	if r.Status != "" {
		if err := o.MoveTo(r.Status, r.record, r.stamp); err != nil {
			return false, err
		}
	}
	if r.Report != nil {
		if err := o.Follow(r.Report, r.stamp); err != nil {
			return false, err
		}
	}
	if !r.key.IsZero() {
		o.Remember(r.key, r.fingerprint)
	}
	return false, nil
}
