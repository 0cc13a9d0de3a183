package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// importFields are the fields of an order line that a column may hold.
var importFields = []string{"reference", "customer_id", "sku", "quantity", "unit_price", "name", "placed_at", "currency"}

// setColumn takes one FIELD=HEADER.
func (o *ImportOptions) setColumn(value string) error {
	field, header, ok := strings.Cut(value, "=")
	if !ok || header == "" {
		return errors.New("write FIELD=HEADER, such as sku=StockCode")
	}
	key, metadata := strings.CutPrefix(field, "metadata.")
	switch {
	case metadata && (key == "" || utf8.RuneCountInString(key) > order.MaxMetadataKey):
		return fmt.Errorf("write metadata.KEY=HEADER with a key of 1 to %d characters", order.MaxMetadataKey)
	case !metadata && !slices.Contains(importFields, field):
		return fmt.Errorf("the field must be one of %s or metadata.KEY", strings.Join(importFields, ", "))
	}
	if _, twice := o.Columns[field]; twice {
		return fmt.Errorf("%s has a column already; name each field once", field)
	}
	o.Columns[field] = header
	return nil
}

func (o *ImportOptions) setCurrency(value string) error {
	currency, err := money.CurrencyOf(value)
	if err != nil {
		return errors.New("give an ISO 4217 currency code in capitals, such as GBP")
	}
	o.Currency = currency
	return nil
}

// setDateLayout takes a layout that keeps a date's year, month and day; one without directives keeps nothing.
func (o *ImportOptions) setDateLayout(value string) error {
	day := time.Date(2009, time.December, 31, 0, 0, 0, 0, time.UTC)
	read, err := time.Parse(value, day.Format(value))
	if err != nil || !read.Equal(day) {
		return errors.New("write how 2 January 2006, 15:04:05 looks in the file, such as '2006-01-02 15:04:05'")
	}
	o.DateLayout = value
	return nil
}

func (o *ImportOptions) setLocation(value string) error {
	location, err := time.LoadLocation(value)
	if err != nil || value == "" {
		return errors.New("give a zone of the IANA database, such as Europe/London or UTC")
	}
	o.Location = location
	return nil
}
