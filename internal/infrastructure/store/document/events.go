package document

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

type eventDoc struct {
	Type        string      `json:"type"`
	Sequence    int         `json:"sequence"`
	Version     int         `json:"version"`
	Time        instant     `json:"time"`
	Actor       string      `json:"actor"`
	Trace       string      `json:"trace"`
	Status      string      `json:"status"`
	Previous    string      `json:"previous_status"`
	Created     *createdDoc `json:"created"`
	Metadata    patch       `json:"metadata"`
	Payment     *moneyDoc   `json:"payment"`
	Refund      *moneyDoc   `json:"refund"`
	Fulfillment *goodsDoc   `json:"fulfillment"`
}

type createdDoc struct {
	Reference string    `json:"reference"`
	Currency  string    `json:"currency"`
	Total     int64     `json:"total"`
	Items     []itemDoc `json:"items"`
	PlacedAt  instant   `json:"placed_at"`
}

type moneyDoc struct {
	ID        identity `json:"id"`
	PaymentID identity `json:"payment_id"`
	Amount    int64    `json:"amount"`
}

type goodsDoc struct {
	ID    identity  `json:"id"`
	Lines []partDoc `json:"lines"`
}

func (w writer) event(e *order.Event) {
	w.open('{')
	w.text("type", string(e.Type))
	w.number("sequence", int64(e.Sequence))
	w.number("version", int64(e.Version))
	w.time("time", e.Time)
	w.text("actor", e.Actor)
	w.text("trace", e.Trace)
	w.text("status", string(e.Status))
	w.text("previous_status", string(e.PreviousStatus))
	if c := e.Created; c != nil {
		w.key("created")
		w.open('{')
		w.text("reference", c.Reference)
		w.text("currency", c.Currency.Code())
		w.number("total", int64(c.Total))
		w.key("items")
		w.open('[')
		for i := range c.Items {
			w.open('{')
			w.item(&c.Items[i], c.Currency)
			w.close('}')
		}
		w.close(']')
		w.time("placed_at", c.PlacedAt)
		w.close('}')
	}
	if e.Metadata != nil {
		w.key("metadata")
		w.openMap()
		for _, k := range slices.Sorted(maps.Keys(e.Metadata)) {
			w.entry(k, e.Metadata[k])
		}
		w.closeMap()
	}
	if p := e.Payment; p != nil {
		w.money("payment", p.PaymentID, order.ID{}, p.Amount)
	}
	if r := e.Refund; r != nil {
		w.money("refund", r.RefundID, r.PaymentID, r.Amount)
	}
	if f := e.Fulfillment; f != nil {
		w.key("fulfillment")
		w.open('{')
		w.id("id", f.FulfillmentID)
		w.parts("lines", f.Lines)
		w.close('}')
	}
	w.close('}')
}

func (w writer) money(name string, id, payment order.ID, amount money.Amount) {
	w.key(name)
	w.open('{')
	w.id("id", id)
	if !payment.IsZero() {
		w.id("payment_id", payment)
	}
	w.number("amount", int64(amount))
	w.close('}')
}

// DecodeEvents reads what AppendEvents wrote: the events with a sequence above after, at most limit.
// Sequences have no gaps, so the event of sequence n is on line n. The error is a fault of kind
// Internal.
func DecodeEvents(data []byte, after, limit int) ([]order.Event, error) {
	events, err := decodeEvents(data, after, limit)
	if err != nil {
		return nil, damaged(err)
	}
	return events, nil
}

func decodeEvents(data []byte, after, limit int) ([]order.Event, error) {
	var events []order.Event
	sequence := 0
	for line := range bytes.Lines(data) {
		sequence++
		if sequence <= after {
			continue
		}
		if len(events) == limit {
			break
		}
		e, err := decodeEvent(line)
		if err != nil {
			return nil, fmt.Errorf("decode event %d: %w", sequence, err)
		}
		if e.Sequence != sequence {
			return nil, fmt.Errorf("decode event %d: its sequence is %d", sequence, e.Sequence)
		}
		events = append(events, e)
	}
	return events, nil
}

func decodeEvent(line []byte) (order.Event, error) {
	var d eventDoc
	if err := json.Unmarshal(line, &d); err != nil {
		return order.Event{}, err
	}
	return d.event()
}

func (d *eventDoc) event() (order.Event, error) {
	e := order.Event{
		Type: order.EventType(d.Type), Sequence: d.Sequence, Version: d.Version, Time: d.Time.time(),
		Actor: d.Actor, Trace: d.Trace, Status: order.Status(d.Status), PreviousStatus: order.Status(d.Previous), Metadata: d.Metadata,
	}
	var err error
	if d.Created != nil {
		if e.Created, err = d.Created.fact(); err != nil {
			return e, err
		}
	}
	if d.Payment != nil {
		e.Payment = &order.PaymentFact{Amount: money.Amount(d.Payment.Amount)}
		if e.Payment.PaymentID, err = d.Payment.ID.parse(); err != nil {
			return e, err
		}
	}
	if d.Refund != nil {
		e.Refund = &order.RefundFact{Amount: money.Amount(d.Refund.Amount)}
		if e.Refund.RefundID, err = d.Refund.ID.parse(); err != nil {
			return e, err
		}
		if e.Refund.PaymentID, err = d.Refund.PaymentID.parse(); err != nil {
			return e, err
		}
	}
	if d.Fulfillment != nil {
		e.Fulfillment = &order.FulfillmentFact{}
		if e.Fulfillment.FulfillmentID, err = d.Fulfillment.ID.parse(); err != nil {
			return e, err
		}
		if e.Fulfillment.Lines, err = convert(d.Fulfillment.Lines, partDoc.part); err != nil {
			return e, err
		}
	}
	return e, nil
}

func (d *createdDoc) fact() (*order.CreatedFact, error) {
	currency, err := money.CurrencyOf(d.Currency)
	if err != nil {
		return nil, err
	}
	fact := &order.CreatedFact{
		Reference: d.Reference, Currency: currency, Total: money.Amount(d.Total), PlacedAt: d.PlacedAt.time(),
	}
	fact.Items = make([]order.Item, len(d.Items))
	for i := range d.Items {
		if fact.Items[i], err = d.Items[i].item(currency); err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return fact, nil
}
