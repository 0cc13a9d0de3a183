package httpapi

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// The parameters by which orders are filtered.
const (
	queryStatus            = "status"
	queryPaymentStatus     = "payment_status"
	queryFulfillmentStatus = "fulfillment_status"
	queryCustomerID        = "customer_id"
	queryReference         = "reference"
	queryCreatedAfter      = "created_after"
	queryCreatedBefore     = "created_before"
	queryPlacedAfter       = "placed_after"
	queryPlacedBefore      = "placed_before"
	queryLimit             = "limit"
	queryCursor            = "cursor"
	queryFormat            = "format"
	queryState             = "state"
	querySubscriber        = "subscriber"
)

func filterNames() []string {
	return []string{
		queryStatus, queryPaymentStatus, queryFulfillmentStatus, queryCustomerID, queryReference,
		queryCreatedAfter, queryCreatedBefore, queryPlacedAfter, queryPlacedBefore,
	}
}

// queryReader reads parameters and notes each that breaks a rule.
type queryReader struct {
	values url.Values
	fields []fault.Field
}

// queryReader returns a reader of the query, which checkQuery has looked at.
func (x *exchange) queryReader() *queryReader {
	if x.r.URL.RawQuery == "" {
		return &queryReader{}
	}
	return &queryReader{values: x.r.URL.Query()}
}

// err returns nil, or one fault with every parameter that breaks a rule.
func (q *queryReader) err() error {
	if len(q.fields) == 0 {
		return nil
	}
	return fault.OfFields(q.fields)
}

func (q *queryReader) wrong(name, message string) {
	q.fields = append(q.fields, fault.Field{Location: "query." + name, Message: message})
}

// value returns a parameter and whether it was given.
func (q *queryReader) value(name string) (string, bool) {
	sent, ok := q.values[name]
	if !ok {
		return "", false
	}
	return sent[0], true
}

// text returns a text of 1 to most characters; "" when it was not given.
func (q *queryReader) text(name string, most int) string {
	text, ok := q.value(name)
	if !ok {
		return ""
	}
	if !utf8.ValidString(text) {
		q.wrong(name, "must be valid UTF-8, its bytes written as %XX")
	} else if n := utf8.RuneCountInString(text); n < 1 || n > most {
		q.wrong(name, fmt.Sprintf("must have 1 to %d characters", most))
	}
	return text
}

// moment returns a time; the zero time when it was not given.
func (q *queryReader) moment(name string) time.Time {
	text, ok := q.value(name)
	if !ok {
		return time.Time{}
	}
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil || t.IsZero() {
		q.wrong(name, "must be a date and time with a zone (RFC 3339), such as 2026-01-15T09:30:00Z; write + as %2B")
	}
	return t
}

// whole returns a whole number from least to most.
func (q *queryReader) whole(name string, least, most, absent int) int {
	text, ok := q.value(name)
	if !ok {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most || strconv.Itoa(n) != text {
		q.wrong(name, fmt.Sprintf("must be a whole number from %d to %d", least, most))
	}
	return n
}

// oneOf returns a value among those allowed; absent when it was not given.
func oneOf[T ~string](q *queryReader, name string, allowed []T, absent T) T {
	text, ok := q.value(name)
	if !ok {
		return absent
	}
	names := make([]string, len(allowed))
	for i, value := range allowed {
		if string(value) == text {
			return value
		}
		names[i] = string(value)
	}
	q.wrong(name, "must be one of "+strings.Join(names, ", "))
	return absent
}

// filters reads what lists and exports have in common.
func (q *queryReader) filters() ordering.Query {
	return ordering.Query{
		Status:            oneOf(q, queryStatus, order.Statuses(), ""),
		PaymentStatus:     oneOf(q, queryPaymentStatus, order.PaymentStatuses(), ""),
		FulfillmentStatus: oneOf(q, queryFulfillmentStatus, order.FulfillmentStatuses(), ""),
		CustomerID:        q.text(queryCustomerID, order.MaxCustomerID),
		Reference:         q.text(queryReference, order.MaxReference),
		CreatedAfter:      q.moment(queryCreatedAfter),
		CreatedBefore:     q.moment(queryCreatedBefore),
		PlacedAfter:       q.moment(queryPlacedAfter),
		PlacedBefore:      q.moment(queryPlacedBefore),
	}
}

// flag reads a parameter that is true or false, which it is when absent.
func (x *exchange) flag(name string) (bool, error) {
	q := x.queryReader()
	value := oneOf(q, name, []string{"true", "false"}, "false")
	return value == "true", q.err()
}
