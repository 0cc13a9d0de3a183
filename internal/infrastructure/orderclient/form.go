package orderclient

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
)

// appendOrder appends one order of a batch. Prices go as strings: they are texts here, and whether
// they are numbers is for the service to say.
func appendOrder(dst []byte, p *ordering.Place) []byte {
	d := &p.Draft
	dst = append(dst, `{"customer_id":`...)
	dst = wire.AppendString(dst, d.CustomerID)
	dst = appendOptional(dst, "reference", d.Reference)
	dst = appendOptional(dst, "currency", d.Currency)
	dst = appendOptional(dst, "idempotency_key", p.IdempotencyKey)
	if !d.PlacedAt.IsZero() {
		dst = append(dst, `,"placed_at":`...)
		dst = wire.AppendTime(dst, d.PlacedAt)
	}
	for i, key := range slices.Sorted(maps.Keys(d.Metadata)) {
		dst = append(dst, [...]string{`,"metadata":{`, `,`}[min(i, 1)]...)
		dst = wire.AppendString(dst, key)
		dst = append(dst, ':')
		dst = wire.AppendString(dst, d.Metadata[key])
	}
	if len(d.Metadata) > 0 {
		dst = append(dst, '}')
	}
	dst = append(dst, `,"items":[`...)
	for i := range d.Items {
		item := &d.Items[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"sku":`...)
		dst = wire.AppendString(dst, item.SKU)
		dst = appendOptional(dst, "name", item.Name)
		dst = append(dst, `,"quantity":`...)
		dst = strconv.AppendInt(dst, item.Quantity, 10)
		dst = append(dst, `,"unit_price":`...)
		dst = wire.AppendString(dst, item.UnitPrice)
		dst = append(dst, '}')
	}
	return append(dst, `]}`...)
}

func appendOptional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return wire.AppendString(dst, value)
}

// answer is what the service says to a batch, as far as it is read here.
type answer struct {
	Results []result `json:"results"`
}

type result struct {
	Status   int  `json:"status"`
	Replayed bool `json:"replayed"`
	Order    *struct {
		Currency string         `json:"currency"`
		Total    jsontext.Value `json:"total"`
	} `json:"order"`
	Problem *wire.Problem `json:"problem"`
}

// outcome returns what became of one order. The error says that the result can't be understood.
func (r *result) outcome() (importing.Outcome, error) {
	switch {
	case r.Order != nil && r.Status < http.StatusMultipleChoices:
		currency, err := money.CurrencyOf(r.Order.Currency)
		if err != nil {
			return importing.Outcome{}, fmt.Errorf("currency %q: %w", r.Order.Currency, err)
		}
		total, err := money.ParsePrice(string(r.Order.Total), currency)
		if err != nil {
			return importing.Outcome{}, fmt.Errorf("total %s: %w", r.Order.Total, err)
		}
		amount, err := total.Times(1, currency)
		if err != nil {
			return importing.Outcome{}, fmt.Errorf("total %s: %w", r.Order.Total, err)
		}
		return importing.Outcome{Existing: r.Replayed, Currency: currency, Total: amount}, nil
	case r.Problem != nil:
		return importing.Outcome{Err: faultOf(r.Problem, r.Status)}, nil
	}
	return importing.Outcome{}, fmt.Errorf("a result of status %d without order or problem", r.Status)
}

// faultOf turns a problem back into the fault that it was made of.
func faultOf(p *wire.Problem, status int) error {
	f := fault.New(kindOf(status), p.Code, p.Detail)
	if f.Kind == fault.Internal && p.RequestID != "" {
		f.Message += " (request " + p.RequestID + ")"
	}
	for _, field := range p.Errors {
		f.Fields = append(f.Fields, fault.Field{Location: field.Location, Message: field.Message})
	}
	return f
}

// kindOf returns the kind of fault that the API answers with the status. A test of httpapi holds the two
// together.
func kindOf(status int) fault.Kind {
	switch status {
	case http.StatusBadRequest:
		return fault.Malformed
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.NotAllowed
	case http.StatusPreconditionFailed:
		return fault.Stale
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusUnsupportedMediaType:
		return fault.Unsupported
	case http.StatusUnprocessableEntity:
		return fault.Invalid
	case http.StatusTooManyRequests:
		return fault.TooMany
	case http.StatusServiceUnavailable:
		return fault.Unavailable
	default:
		return fault.Internal
	}
}

// isCut reports whether a text ended before its end.
func isCut(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) }
