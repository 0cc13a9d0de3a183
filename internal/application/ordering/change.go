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
// changes nothing and makes no version. Errors are faults: NotFound, NotAllowed (with what is
// allowed), Stale when the version is none of IfVersions, Invalid, Unavailable.
func (s *Service) Change(ctx context.Context, caller Caller, c Change) (Revised, error) {
	var key order.ID
	var fingerprint order.Fingerprint
	if c.IdempotencyKey != "" {
		if err := CheckIdempotencyKey(c.IdempotencyKey); err != nil {
			return Revised{}, err
		}
		key = order.KeyedID(caller.Subject, kindChange, c.IdempotencyKey)
		fingerprint = order.ChangeFingerprint(c.Status, c.Metadata)
	}
	now := s.now()
	stamp := order.Stamp{Time: order.Moment(now), Actor: caller.Subject}
	record := s.ids.next(now)

	var revised Revised
	h := s.teller.Offer(now)
	changed, err := s.store.Change(ctx, c.ID, h, now, func(o *order.Order) error {
		revised.Replayed = false
		if !key.IsZero() {
			if earlier, ok := o.Request(key); ok {
				if earlier.Fingerprint != fingerprint {
					return ErrKeyReused
				}
				revised.Replayed = true
				return nil
			}
		}
		if c.IfVersions != nil && !slices.Contains(c.IfVersions, o.Version()) {
			return fault.New(fault.Stale, "version_stale", fmt.Sprintf(
				"the order is not in the version you know: its version is %d now; read it again and decide anew", o.Version()))
		}
		if err := o.PatchMetadata(c.Metadata, stamp); err != nil {
			return err
		}
		if c.Status != "" {
			if err := o.MoveTo(c.Status, record, stamp); err != nil {
				return err
			}
		}
		if !key.IsZero() {
			o.Remember(key, fingerprint)
		}
		return nil
	})
	if err != nil {
		s.teller.Decline(h)
		return Revised{}, err
	}
	revised.Order = changed.Order
	if changed.Order.Changed() {
		s.teller.Accept(h, changed.Order, changed.Order.Events(), changed.Leased)
	} else {
		s.teller.Decline(h)
	}
	return revised, nil
}
