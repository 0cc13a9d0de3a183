package wire_test

import (
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// orderForm says once more, and slowly, what AppendOrder writes.
func orderForm(o *order.Order) wire.Order {
	s := o.Snapshot()
	amount := func(a money.Amount) wire.Decimal { return wire.Decimal(a.Decimal(s.Currency)) }
	form := wire.Order{
		ID: s.ID.String(), CustomerID: s.CustomerID, Reference: optional(s.Reference),
		Status: o.Status(), PaymentStatus: o.PaymentStatus(), FulfillmentStatus: o.FulfillmentStatus(),
		Currency: s.Currency.Code(), Total: amount(s.Total),
		Items: []wire.Item{}, Payments: []wire.Payment{}, Fulfillments: []wire.Fulfillment{}, Returns: []wire.Return{},
		Metadata: s.Metadata, PlacedAt: s.PlacedAt, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Version: s.Version,
	}
	if form.Metadata == nil {
		form.Metadata = map[string]string{}
	}
	for i, l := range s.Lines {
		form.Items = append(form.Items, wire.Item{
			Line: i + 1, SKU: l.SKU, Name: optional(l.Name), Quantity: l.Quantity,
			UnitPrice: wire.Decimal(l.UnitPrice.Decimal(s.Currency)), LineTotal: amount(l.Total),
			Canceled: l.Canceled, Shipped: l.Shipped, Delivered: l.Delivered, Returned: l.Returned,
		})
	}
	for _, p := range s.Payments {
		payment := wire.Payment{
			ID: p.ID.String(), Status: p.State, Provider: p.Provider, Amount: amount(p.Amount),
			CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, Refunds: []wire.Refund{},
		}
		for _, r := range p.Refunds {
			payment.Refunds = append(payment.Refunds, wire.Refund{
				ID: r.ID.String(), Status: r.State, Amount: amount(r.Amount), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
			})
		}
		form.Payments = append(form.Payments, payment)
	}
	for _, f := range s.Fulfillments {
		form.Fulfillments = append(form.Fulfillments, wire.Fulfillment{
			ID: f.ID.String(), Status: f.State, Items: parts(f.Lines), Carrier: optional(f.Carrier),
			Tracking: optional(f.Tracking), CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
		})
	}
	for _, r := range s.Returns {
		form.Returns = append(form.Returns, wire.Return{
			ID: r.ID.String(), Status: r.State, Items: parts(r.Lines), Reason: optional(r.Reason),
			CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		})
	}
	a := o.Actions()
	form.Actions = wire.Actions{
		Pay: wire.Action(a.Pay), Ship: wire.Action(a.Ship), Deliver: wire.Action(a.Deliver), Cancel: wire.Action(a.Cancel),
	}
	return form
}

// dataForm says once more what AppendEventData writes.
func dataForm(o *order.Order, e order.Event) any {
	s := o.Snapshot()
	base := wire.EventData{
		EventID: order.EventID(s.ID, e.Sequence),
		OrderID: s.ID.String(), CustomerID: s.CustomerID, Status: e.Status, Version: e.Version, Sequence: e.Sequence,
		Actor: optional(e.Actor),
	}
	amount := func(a money.Amount) wire.Decimal { return wire.Decimal(a.Decimal(s.Currency)) }
	switch {
	case e.Created != nil:
		data := &wire.OrderCreatedData{
			EventData: base, Reference: optional(e.Created.Reference), Currency: e.Created.Currency.Code(),
			Total: amount(e.Created.Total), PlacedAt: e.Created.PlacedAt,
		}
		for i, item := range e.Created.Items {
			data.Items = append(data.Items, wire.EventItem{
				Line: i + 1, SKU: item.SKU, Name: optional(item.Name), Quantity: item.Quantity,
				UnitPrice: wire.Decimal(item.UnitPrice.Decimal(s.Currency)), LineTotal: amount(item.Total),
			})
		}
		return data
	case e.Metadata != nil:
		return &wire.MetadataChangedData{EventData: base, Metadata: e.Metadata}
	case e.Payment != nil:
		return &wire.PaymentData{
			EventData: base, PaymentID: e.Payment.PaymentID.String(), Amount: amount(e.Payment.Amount), Currency: s.Currency.Code(),
		}
	case e.Refund != nil:
		return &wire.RefundData{
			EventData: base, RefundID: e.Refund.RefundID.String(), PaymentID: e.Refund.PaymentID.String(),
			Amount: amount(e.Refund.Amount), Currency: s.Currency.Code(),
		}
	case e.Fulfillment != nil:
		return &wire.FulfillmentData{
			EventData: base, FulfillmentID: e.Fulfillment.FulfillmentID.String(), Items: parts(e.Fulfillment.Lines),
		}
	default:
		return &wire.StatusChangedData{EventData: base, PreviousStatus: e.PreviousStatus}
	}
}

func parts(lines []order.LineQuantity) []wire.Part {
	parts := []wire.Part{}
	for _, l := range lines {
		parts = append(parts, wire.Part{Line: l.Line, Quantity: l.Quantity})
	}
	return parts
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
