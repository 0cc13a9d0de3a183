package wire

import (
	"maps"
	"slices"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// AppendEventData appends what an event of the given order tells: the form of EventData with what
// belongs to its type. Currency is the order's. It returns the extended buffer.
func AppendEventData(dst []byte, id order.ID, customerID string, e *order.Event, currency money.Currency) []byte {
	dst = appendEventBase(dst, id, customerID, e)
	switch {
	case e.Created != nil:
		dst = appendCreated(dst, e.Created)
	case e.PreviousStatus != "":
		dst = append(dst, `,"previousStatus":`...)
		dst = appendPlain(dst, e.PreviousStatus)
	case e.Metadata != nil:
		dst = append(dst, `,"metadata":`...)
		dst = appendMetadataPatch(dst, e.Metadata)
	case e.Payment != nil:
		dst = append(dst, `,"paymentId":`...)
		dst = appendID(dst, e.Payment.PaymentID)
		dst = appendSum(dst, e.Payment.Amount, currency)
	case e.Refund != nil:
		dst = append(dst, `,"refundId":`...)
		dst = appendID(dst, e.Refund.RefundID)
		dst = append(dst, `,"paymentId":`...)
		dst = appendID(dst, e.Refund.PaymentID)
		dst = appendSum(dst, e.Refund.Amount, currency)
	case e.Fulfillment != nil:
		dst = append(dst, `,"fulfillmentId":`...)
		dst = appendID(dst, e.Fulfillment.FulfillmentID)
		dst = append(dst, `,"items":`...)
		dst = appendParts(dst, e.Fulfillment.Lines)
	}
	return append(dst, '}')
}

// AppendEventReference appends, instead of what AppendEventData does, where the order is found: the form of
// EventReferenceData, for an event that is too large.
func AppendEventReference(dst []byte, id order.ID, customerID string, e *order.Event, dataRef string) []byte {
	dst = appendEventBase(dst, id, customerID, e)
	dst = append(dst, `,"dataref":`...)
	dst = AppendString(dst, dataRef)
	return append(dst, '}')
}

// appendEventBase appends the form of EventData, without its end.
func appendEventBase(dst []byte, id order.ID, customerID string, e *order.Event) []byte {
	dst = append(dst, `{"eventId":`...)
	dst = appendEventID(dst, id, e.Sequence)
	dst = append(dst, `,"orderId":`...)
	dst = appendID(dst, id)
	dst = append(dst, `,"customerId":`...)
	dst = AppendString(dst, customerID)
	dst = append(dst, `,"status":`...)
	dst = appendPlain(dst, e.Status)
	dst = append(dst, `,"version":`...)
	dst = appendNumber(dst, e.Version)
	dst = append(dst, `,"sequence":`...)
	dst = appendNumber(dst, e.Sequence)
	dst = append(dst, `,"actor":`...)
	return appendOptional(dst, e.Actor)
}

// AppendCloudEvent appends the event in the envelope of CloudEvents 1.0, the form of CloudEvent.
// Arguments are those of AppendEventData.
func AppendCloudEvent(dst []byte, id order.ID, customerID string, e *order.Event, currency money.Currency) []byte {
	dst = appendEnvelope(dst, id, e)
	dst = AppendEventData(dst, id, customerID, e, currency)
	return append(dst, '}')
}

// AppendCloudEventReference is AppendCloudEvent with the data of AppendEventReference.
func AppendCloudEventReference(dst []byte, id order.ID, customerID string, e *order.Event, dataRef string) []byte {
	dst = appendEnvelope(dst, id, e)
	dst = AppendEventReference(dst, id, customerID, e, dataRef)
	return append(dst, '}')
}

// appendEnvelope appends the envelope of an event up to where its data begins.
func appendEnvelope(dst []byte, id order.ID, e *order.Event) []byte {
	dst = append(dst, `{"specversion":"1.0","id":`...)
	dst = appendEventID(dst, id, e.Sequence)
	dst = append(dst, `,"source":"`+EventSource+`","type":`...)
	dst = appendPlain(dst, e.Type)
	dst = append(dst, `,"subject":`...)
	dst = appendID(dst, id)
	dst = append(dst, `,"time":`...)
	dst = AppendTime(dst, e.Time)
	if e.Trace != "" {
		dst = append(dst, `,"traceparent":`...)
		dst = AppendString(dst, e.Trace)
	}
	return append(dst, `,"datacontenttype":"application/json","data":`...)
}

// AppendTimelineEntry appends the event as the timeline of its order shows it, the form of
// TimelineEntry. Arguments are those of AppendEventData.
func AppendTimelineEntry(dst []byte, id order.ID, customerID string, e *order.Event, currency money.Currency) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendEventID(dst, id, e.Sequence)
	dst = append(dst, `,"type":`...)
	dst = appendPlain(dst, e.Type)
	dst = append(dst, `,"sequence":`...)
	dst = appendNumber(dst, e.Sequence)
	dst = append(dst, `,"version":`...)
	dst = appendNumber(dst, e.Version)
	dst = append(dst, `,"time":`...)
	dst = AppendTime(dst, e.Time)
	dst = append(dst, `,"actor":`...)
	dst = appendOptional(dst, e.Actor)
	dst = append(dst, `,"data":`...)
	dst = AppendEventData(dst, id, customerID, e, currency)
	return append(dst, '}')
}

func appendCreated(dst []byte, f *order.CreatedFact) []byte {
	dst = append(dst, `,"reference":`...)
	dst = appendOptional(dst, f.Reference)
	dst = append(dst, `,"currency":`...)
	dst = appendPlain(dst, f.Currency.Code())
	dst = append(dst, `,"total":`...)
	dst = f.Total.AppendDecimal(dst, f.Currency)
	dst = append(dst, `,"placedAt":`...)
	dst = AppendTime(dst, f.PlacedAt)
	dst = append(dst, `,"items":[`...)
	for i := range f.Items {
		item := &f.Items[i]
		dst = appendComma(dst, i)
		dst = append(dst, `{"line":`...)
		dst = appendNumber(dst, i+1)
		dst = append(dst, `,"sku":`...)
		dst = AppendString(dst, item.SKU)
		dst = append(dst, `,"name":`...)
		dst = appendOptional(dst, item.Name)
		dst = append(dst, `,"quantity":`...)
		dst = appendNumber(dst, item.Quantity)
		dst = append(dst, `,"unitPrice":`...)
		dst = item.UnitPrice.AppendDecimal(dst, f.Currency)
		dst = append(dst, `,"lineTotal":`...)
		dst = item.Total.AppendDecimal(dst, f.Currency)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendMetadataPatch(dst []byte, patch map[string]*string) []byte {
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(patch)) {
		dst = appendComma(dst, i)
		dst = AppendString(dst, key)
		dst = append(dst, ':')
		if value := patch[key]; value != nil {
			dst = AppendString(dst, *value)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, '}')
}

func appendSum(dst []byte, amount money.Amount, c money.Currency) []byte {
	dst = append(dst, `,"amount":`...)
	dst = amount.AppendDecimal(dst, c)
	dst = append(dst, `,"currency":`...)
	return appendPlain(dst, c.Code())
}

func appendEventID(dst []byte, id order.ID, sequence int) []byte {
	return appendPlain(dst, order.EventID(id, sequence))
}
