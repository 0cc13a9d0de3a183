package ordering

import (
	"context"
	"fmt"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// MaxBatch is how many orders PlaceBatch takes at once.
const MaxBatch = 1_000

// Place asks for a new order.
type Place struct {
	Draft order.Draft
	// IdempotencyKey makes a repeat of the request harmless; "" for none.
	IdempotencyKey string
	// AsHistory keeps the order as told already: no subscriber learns of its creation.
	AsHistory bool
}

// Placed answers a Place.
type Placed struct {
	Order *order.Order
	// Replayed: the order was there already, from the same request under the same key.
	Replayed bool
	// Err is set in the answers of PlaceBatch: a fault, and the order is nil.
	Err error
}

// kindOrder is what is made, in the ids that idempotency keys decide.
const kindOrder = "order"

// Place makes an order and returns it when it is durable. Errors are faults: Invalid when the draft
// breaks a rule or the key was used for another request, Forbidden when it is not for the caller's customer, Unavailable when
// the store is.
func (s *Service) Place(ctx context.Context, caller Caller, p Place) (Placed, error) {
	placed := s.PlaceBatch(ctx, caller, []Place{p})[0]
	return placed, placed.Err
}

// ErrBatchTooLarge is the fault for more than MaxBatch orders at once.
var ErrBatchTooLarge = fault.New(fault.TooLarge, "batch_too_large",
	fmt.Sprintf("a batch must have at most %d orders; send several smaller ones", MaxBatch))

// ErrOtherCustomer is the fault of a caller who orders for somebody else.
var ErrOtherCustomer = fault.New(fault.Forbidden, "customer_forbidden", "you may place orders for your own customer_id only")

// PlaceBatch makes up to MaxBatch orders, each accepted or refused on its own, and answers in the
// same order. Two requests of one batch under the same key count as a repeat. A batch of more is
// refused whole: each answer is ErrBatchTooLarge.
func (s *Service) PlaceBatch(ctx context.Context, caller Caller, batch []Place) []Placed {
	answers := make([]Placed, len(batch))
	if len(batch) > MaxBatch {
		for i := range answers {
			answers[i].Err = ErrBatchTooLarge
		}
		return answers
	}
	writes := make([]NewOrder, 0, len(batch))
	at := make([]int, 0, len(batch)) // which request each write answers
	for i := range batch {
		w, err := s.draw(caller, &batch[i])
		if err != nil {
			answers[i].Err = err
			continue
		}
		writes, at = append(writes, w), append(at, i)
	}
	if len(writes) == 0 {
		return answers
	}
	for j, created := range s.store.Create(ctx, writes) {
		answers[at[j]] = s.placed(writes[j], created)
	}
	return answers
}

// draw makes the order that a request asks for, ready to be written.
func (s *Service) draw(caller Caller, p *Place) (NewOrder, error) {
	if caller.Customer != "" && p.Draft.CustomerID != caller.Customer {
		return NewOrder{}, ErrOtherCustomer
	}
	now := s.now()
	if p.Draft.Currency == "" {
		p.Draft.Currency = s.defaultCurrency
	}
	var id order.ID
	var origin order.Fingerprint
	if p.IdempotencyKey == "" {
		id = s.ids.next(now)
	} else {
		if err := CheckIdempotencyKey(p.IdempotencyKey); err != nil {
			return NewOrder{}, err
		}
		id = order.KeyedID(caller.Subject, kindOrder, p.IdempotencyKey)
		origin = p.Draft.Fingerprint()
	}
	o, err := order.New(id, p.Draft, origin, order.Stamp{Time: now, Actor: caller.Subject, Trace: caller.Trace})
	if err != nil {
		return NewOrder{}, err
	}
	h := s.teller.Offer(now)
	if p.AsHistory {
		s.teller.Decline(h)
		h = delivery.Handover{Subscribers: h.Subscribers, AsTold: true}
	}
	return NewOrder{Order: o, Handover: h}, nil
}

// placed settles one write: with the teller, and with an order that was there before.
func (s *Service) placed(w NewOrder, c Created) Placed {
	if c.Err != nil || c.Existing != nil {
		s.decline(w.Handover)
	}
	switch {
	case c.Err != nil:
		return Placed{Err: c.Err}
	case c.Existing == nil:
		s.meter.Placed(w.Handover.AsTold)
		if !w.Handover.AsTold {
			s.teller.Accept(w.Handover, w.Order, w.Order.Events(), c.Leased)
		}
		return Placed{Order: w.Order}
	}
	wanted, found := w.Order.View().Origin, c.Existing.View().Origin
	switch {
	case wanted == "":
		// Two ids without a key have met: 64 bits that differ by process and count. Nothing was
		// written, and another try draws another id.
		return Placed{Err: fault.New(fault.Unavailable, "id_taken", "the order could not be given an id of its own; try again")}
	case wanted != found:
		return Placed{Err: ErrKeyReused}
	}
	return Placed{Order: c.Existing, Replayed: true}
}

func (s *Service) decline(h delivery.Handover) {
	if !h.AsTold {
		s.teller.Decline(h)
	}
}
