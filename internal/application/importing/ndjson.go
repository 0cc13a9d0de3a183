package importing

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// ndjsonForm is NDJSON: a record is one order, in the form that the API takes or in the one that it
// answers with. Of the latter, what the service decides itself is passed over; an order that has
// moved on from PENDING is refused, since an import makes new orders.
type ndjsonForm struct {
	lines   *lines
	options *Options
}

// next implements form. A record has one field, the whole line; blank lines are passed over.
func (n *ndjsonForm) next(r *record) error {
	for {
		end, next, err := n.lines.line(0)
		if errors.Is(err, errTooLong) {
			text := bytes.Clone(bytes.ToValidUTF8(n.lines.window()[:keptOfTooLong], nil))
			*r = record{line: n.lines.number, defect: defectTooLong, fields: append(r.fields[:0], text)}
			return n.lines.discardLine()
		}
		if err != nil {
			return err
		}
		text := trimCR(n.lines.window()[:end])
		number := n.lines.number
		n.lines.advance(next, 1)
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		*r = record{line: number, fields: append(r.fields[:0], text)}
		if !utf8.Valid(text) {
			r.defect = defectUTF8
			return nil
		}
		var named struct {
			Reference string `json:"reference"`
		}
		// What is wrong with the order is said when it is read in full.
		if err := json.Unmarshal(text, &named); err == nil {
			r.key = []byte(named.Reference)
		}
		return nil
	}
}

func (n *ndjsonForm) header() []string { return []string{"order"} }

func (n *ndjsonForm) firstColumn() int { return 0 }

func (n *ndjsonForm) assembler() assembler {
	return &ndjsonAssembler{currency: n.options.Currency.Code(), now: n.options.Now}
}

// ndjsonAssembler makes orders of records that hold one order each.
type ndjsonAssembler struct {
	currency string // of orders that name none
	now      func() time.Time
}

// assemble implements assembler.
func (a *ndjsonAssembler) assemble(entries []entry) (d order.Draft, merged, ok bool) {
	if len(entries) != 1 || entries[0].defect != "" || entries[0].key == "" {
		return d, false, false
	}
	d, err := a.draft(&entries[0])
	return d, false, err == nil
}

// refuse implements assembler.
func (a *ndjsonAssembler) refuse(entries []entry) *reasons {
	why := newReasons(entries)
	for i := range entries {
		e := &entries[i]
		if e.defect != "" {
			why.line(i, e.defect)
			continue
		}
		d, err := a.draft(e)
		if err == nil {
			_, err = rules(d, a.now())
		}
		if err != nil {
			why.faults(i, err, "")
		} else if e.key == "" {
			why.line(i, "reference is required: it decides the order's id, so that a second run makes nothing new")
		}
	}
	if len(entries) > 1 {
		why.order(fmt.Sprintf("the reference stands on line %d and on line %d: write each order on one line",
			entries[0].line, entries[1].line))
	}
	return why
}

// draft reads an order. The error is a fault.
func (a *ndjsonAssembler) draft(e *entry) (order.Draft, error) {
	text, status := asAsked([]byte(e.fields[0]))
	if status != order.StatusPending {
		return order.Draft{}, fault.New(fault.Invalid, "status_not_importable",
			"status must be PENDING: an import makes new orders")
	}
	d, err := wire.DecodeNewOrder(text)
	if d.Currency == "" {
		d.Currency = a.currency
	}
	return d, err
}

// asAsked turns an order as the API answers it into what would ask for it, and returns the status it
// had. Any other text it returns as it is: what is wrong with it is said when it is read in full.
func asAsked(text []byte) (asked []byte, status order.Status) {
	var has struct {
		ID     jsontext.Value `json:"id"`
		Status order.Status   `json:"status"`
	}
	var placed struct {
		CustomerID jsontext.Value `json:"customer_id,omitzero"`
		Reference  jsontext.Value `json:"reference,omitzero"`
		Currency   jsontext.Value `json:"currency,omitzero"`
		PlacedAt   jsontext.Value `json:"placed_at,omitzero"`
		Metadata   jsontext.Value `json:"metadata,omitzero"`
		Items      []struct {
			SKU       jsontext.Value `json:"sku,omitzero"`
			Name      jsontext.Value `json:"name,omitzero"`
			Quantity  jsontext.Value `json:"quantity,omitzero"`
			UnitPrice jsontext.Value `json:"unit_price,omitzero"`
		} `json:"items"`
	}
	if json.Unmarshal(text, &has) != nil || has.ID == nil || json.Unmarshal(text, &placed) != nil {
		return text, order.StatusPending
	}
	asked, err := json.Marshal(placed)
	if err != nil { // it was read from JSON just above
		return text, order.StatusPending
	}
	return asked, has.Status
}
