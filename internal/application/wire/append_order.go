package wire

import (
	"maps"
	"slices"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// AppendOrder appends the order in full, the form of Order, and returns the extended buffer.
func AppendOrder(dst []byte, o *order.Order) []byte {
	s := o.View()
	dst = append(dst, `{"id":`...)
	dst = appendID(dst, s.ID)
	dst = append(dst, `,"customer_id":`...)
	dst = AppendString(dst, s.CustomerID)
	dst = append(dst, `,"reference":`...)
	dst = appendOptional(dst, s.Reference)
	dst = append(dst, `,"status":`...)
	dst = appendPlain(dst, o.Status())
	dst = append(dst, `,"payment_status":`...)
	dst = appendPlain(dst, o.PaymentStatus())
	dst = append(dst, `,"fulfillment_status":`...)
	dst = appendPlain(dst, o.FulfillmentStatus())
	dst = append(dst, `,"currency":`...)
	dst = appendPlain(dst, s.Currency.Code())
	dst = append(dst, `,"total":`...)
	dst = s.Total.AppendDecimal(dst, s.Currency)
	dst = append(dst, `,"items":`...)
	dst = appendLines(dst, s.Lines, s.Currency)
	dst = append(dst, `,"payments":`...)
	dst = appendPayments(dst, s.Payments, s.Currency)
	dst = append(dst, `,"fulfillments":`...)
	dst = appendFulfillments(dst, s.Fulfillments)
	dst = append(dst, `,"returns":`...)
	dst = appendReturns(dst, s.Returns)
	dst = append(dst, `,"metadata":`...)
	dst = appendMetadata(dst, s.Metadata)
	dst = append(dst, `,"placed_at":`...)
	dst = AppendTime(dst, s.PlacedAt)
	dst = append(dst, `,"created_at":`...)
	dst = AppendTime(dst, s.CreatedAt)
	dst = append(dst, `,"updated_at":`...)
	dst = AppendTime(dst, s.UpdatedAt)
	dst = append(dst, `,"version":`...)
	dst = appendNumber(dst, s.Version)
	dst = append(dst, `,"actions":`...)
	dst = appendActions(dst, o.Actions())
	return append(dst, '}')
}

func appendLines(dst []byte, lines []order.Line, c money.Currency) []byte {
	dst = append(dst, '[')
	for i := range lines {
		l := &lines[i]
		dst = appendComma(dst, i)
		dst = append(dst, `{"line":`...)
		dst = appendNumber(dst, i+1)
		dst = append(dst, `,"sku":`...)
		dst = AppendString(dst, l.SKU)
		dst = append(dst, `,"name":`...)
		dst = appendOptional(dst, l.Name)
		dst = append(dst, `,"quantity":`...)
		dst = appendNumber(dst, l.Quantity)
		dst = append(dst, `,"unit_price":`...)
		dst = l.UnitPrice.AppendDecimal(dst, c)
		dst = append(dst, `,"line_total":`...)
		dst = l.Total.AppendDecimal(dst, c)
		dst = append(dst, `,"canceled":`...)
		dst = appendNumber(dst, l.Canceled)
		dst = append(dst, `,"shipped":`...)
		dst = appendNumber(dst, l.Shipped)
		dst = append(dst, `,"delivered":`...)
		dst = appendNumber(dst, l.Delivered)
		dst = append(dst, `,"returned":`...)
		dst = appendNumber(dst, l.Returned)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendPayments(dst []byte, payments []order.Payment, c money.Currency) []byte {
	dst = append(dst, '[')
	for i := range payments {
		p := &payments[i]
		dst = appendComma(dst, i)
		dst = append(dst, `{"id":`...)
		dst = appendID(dst, p.ID)
		dst = append(dst, `,"status":`...)
		dst = appendPlain(dst, p.State)
		dst = append(dst, `,"provider":`...)
		dst = AppendString(dst, p.Provider)
		dst = append(dst, `,"amount":`...)
		dst = p.Amount.AppendDecimal(dst, c)
		dst = append(dst, `,"created_at":`...)
		dst = AppendTime(dst, p.CreatedAt)
		dst = append(dst, `,"updated_at":`...)
		dst = AppendTime(dst, p.UpdatedAt)
		dst = append(dst, `,"refunds":[`...)
		for j := range p.Refunds {
			dst = appendComma(dst, j)
			dst = appendRefund(dst, &p.Refunds[j], c)
		}
		dst = append(dst, `]}`...)
	}
	return append(dst, ']')
}

func appendRefund(dst []byte, r *order.Refund, c money.Currency) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendID(dst, r.ID)
	dst = append(dst, `,"status":`...)
	dst = appendPlain(dst, r.State)
	dst = append(dst, `,"amount":`...)
	dst = r.Amount.AppendDecimal(dst, c)
	dst = append(dst, `,"created_at":`...)
	dst = AppendTime(dst, r.CreatedAt)
	dst = append(dst, `,"updated_at":`...)
	dst = AppendTime(dst, r.UpdatedAt)
	return append(dst, '}')
}

func appendFulfillments(dst []byte, fulfillments []order.Fulfillment) []byte {
	dst = append(dst, '[')
	for i := range fulfillments {
		f := &fulfillments[i]
		dst = appendComma(dst, i)
		dst = append(dst, `{"id":`...)
		dst = appendID(dst, f.ID)
		dst = append(dst, `,"status":`...)
		dst = appendPlain(dst, f.State)
		dst = append(dst, `,"items":`...)
		dst = appendParts(dst, f.Lines)
		dst = append(dst, `,"carrier":`...)
		dst = appendOptional(dst, f.Carrier)
		dst = append(dst, `,"tracking":`...)
		dst = appendOptional(dst, f.Tracking)
		dst = append(dst, `,"created_at":`...)
		dst = AppendTime(dst, f.CreatedAt)
		dst = append(dst, `,"updated_at":`...)
		dst = AppendTime(dst, f.UpdatedAt)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendReturns(dst []byte, returns []order.Return) []byte {
	dst = append(dst, '[')
	for i := range returns {
		r := &returns[i]
		dst = appendComma(dst, i)
		dst = append(dst, `{"id":`...)
		dst = appendID(dst, r.ID)
		dst = append(dst, `,"status":`...)
		dst = appendPlain(dst, r.State)
		dst = append(dst, `,"items":`...)
		dst = appendParts(dst, r.Lines)
		dst = append(dst, `,"reason":`...)
		dst = appendOptional(dst, r.Reason)
		dst = append(dst, `,"created_at":`...)
		dst = AppendTime(dst, r.CreatedAt)
		dst = append(dst, `,"updated_at":`...)
		dst = AppendTime(dst, r.UpdatedAt)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendParts(dst []byte, parts []order.LineQuantity) []byte {
	dst = append(dst, '[')
	for i, part := range parts {
		dst = appendComma(dst, i)
		dst = append(dst, `{"line":`...)
		dst = appendNumber(dst, part.Line)
		dst = append(dst, `,"quantity":`...)
		dst = appendNumber(dst, part.Quantity)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendMetadata(dst []byte, metadata map[string]string) []byte {
	if len(metadata) == 0 {
		return append(dst, `{}`...)
	}
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(metadata)) {
		dst = appendComma(dst, i)
		dst = AppendString(dst, key)
		dst = append(dst, ':')
		dst = AppendString(dst, metadata[key])
	}
	return append(dst, '}')
}

func appendActions(dst []byte, a order.Actions) []byte {
	dst = append(dst, `{"pay":`...)
	dst = appendAction(dst, a.Pay)
	dst = append(dst, `,"ship":`...)
	dst = appendAction(dst, a.Ship)
	dst = append(dst, `,"deliver":`...)
	dst = appendAction(dst, a.Deliver)
	dst = append(dst, `,"cancel":`...)
	dst = appendAction(dst, a.Cancel)
	return append(dst, '}')
}

func appendAction(dst []byte, a order.Action) []byte {
	if a.Allowed {
		return append(dst, `{"allowed":true}`...)
	}
	dst = append(dst, `{"allowed":false,"reason":`...)
	dst = AppendString(dst, a.Reason)
	return append(dst, '}')
}

// appendComma parts the i-th element of a list from the one before.
func appendComma(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ',')
}
