package httpapi

import (
	"strconv"
	"strings"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
)

// csvHead names the columns of appendCSV.
const csvHead = wire.CSVHeader + "\r\n"

// appendCSV appends a row for each line of the order (RFC 4180). What is the order's is in each. Texts that somebody else wrote are
// guarded: people open such files in spreadsheets.
func appendCSV(dst []byte, o *order.Order) []byte {
	s := o.View()
	var head []byte
	head = append(head, s.ID.String()...)
	head = appendField(head, wire.GuardCell(s.CustomerID))
	head = appendField(head, wire.GuardCell(s.Reference))
	head = appendField(head, string(o.Status()))
	head = appendField(head, string(o.PaymentStatus()))
	head = appendField(head, string(o.FulfillmentStatus()))
	head = appendField(head, s.Currency.Code())
	head = s.Total.AppendDecimal(append(head, ','), s.Currency)
	head = appendField(head, s.PlacedAt.UTC().Format(wire.TimeLayout))
	head = appendField(head, s.CreatedAt.UTC().Format(wire.TimeLayout))
	head = appendField(head, s.UpdatedAt.UTC().Format(wire.TimeLayout))
	head = appendCount(head, int64(s.Version))
	for i := range s.Lines {
		l := &s.Lines[i]
		dst = append(dst, head...)
		dst = appendCount(dst, int64(i+1))
		dst = appendField(dst, wire.GuardCell(l.SKU))
		dst = appendField(dst, wire.GuardCell(l.Name))
		dst = appendCount(dst, l.Quantity)
		dst = l.UnitPrice.AppendDecimal(append(dst, ','), s.Currency)
		dst = l.Total.AppendDecimal(append(dst, ','), s.Currency)
		dst = appendCount(dst, l.Canceled)
		dst = appendCount(dst, l.Shipped)
		dst = appendCount(dst, l.Delivered)
		dst = appendCount(dst, l.Returned)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// appendField appends a comma and a text, quoted where the format wants it.
func appendField(dst []byte, s string) []byte {
	dst = append(dst, ',')
	if !strings.ContainsAny(s, "\",\r\n") && strings.TrimSpace(s) == s {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}

func appendCount(dst []byte, n int64) []byte { return strconv.AppendInt(append(dst, ','), n, 10) }
