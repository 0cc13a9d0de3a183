package wire_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
)

func TestEventsAreReadBackByTheirStructs(t *testing.T) {
	seen := map[order.EventType]bool{}
	note := "hello"
	for _, through := range [][]order.Status{
		{order.StatusPaid, order.StatusShipped, order.StatusDelivered}, {order.StatusPaid, order.StatusCanceled},
	} {
		o, events := moved(t, tea(), through...)
		if err := o.PatchMetadata(map[string]*string{"z": nil, "note": &note}, at(20)); err != nil {
			t.Fatal(err)
		}
		events = append(events,
			o.Events()[len(o.Events())-1],
			order.Event{
				Type: order.EventRefundFailed, Sequence: 90, Version: 9, Time: at(9).Time, Status: o.Status(),
				Refund: &order.RefundFact{RefundID: id(3), PaymentID: id(4), Amount: 5},
			},
			order.Event{
				Type: order.EventFulfillmentCanceled, Sequence: 91, Version: 9, Time: at(9).Time, Status: o.Status(),
				Fulfillment: &order.FulfillmentFact{FulfillmentID: id(3), Lines: []order.LineQuantity{{Line: 1, Quantity: 1}}},
			})
		s := o.View()
		for _, e := range events {
			seen[e.Type] = true
			form := formOf(t, e.Type)
			data := reflect.New(reflect.TypeOf(form.Data)).Interface()
			strict(t, wire.AppendEventData(nil, s.ID, s.CustomerID, &e, s.Currency), data)
			if diff := cmp.Diff(dataForm(o, e), data); diff != "" {
				t.Errorf("%s: %s", e.Type, diff)
			}

			envelope := wire.CloudEvent{Data: reflect.New(reflect.TypeOf(form.Data)).Interface()}
			strict(t, wire.AppendCloudEvent(nil, s.ID, s.CustomerID, &e, s.Currency), &envelope)
			if diff := cmp.Diff(wire.CloudEvent{
				SpecVersion: "1.0", ID: order.EventID(s.ID, e.Sequence), Source: "order-processing-service", Type: e.Type,
				Subject: s.ID.String(), Time: e.Time, DataContentType: "application/json", Data: data,
			}, envelope); diff != "" {
				t.Errorf("%s: %s", e.Type, diff)
			}

			var entry wire.TimelineEntry
			strict(t, wire.AppendTimelineEntry(nil, s.ID, s.CustomerID, &e, s.Currency), &entry)
			if entry.Data["orderId"] != s.ID.String() {
				t.Errorf("%s: the entry's data is %v", e.Type, entry.Data)
			}
			entry.Data = nil
			if diff := cmp.Diff(wire.TimelineEntry{
				ID: order.EventID(s.ID, e.Sequence), Type: e.Type, Sequence: e.Sequence, Version: e.Version, Time: e.Time,
				Actor: optional(e.Actor),
			}, entry); diff != "" {
				t.Errorf("%s: %s", e.Type, diff)
			}
		}
	}
	for _, want := range []order.EventType{
		order.EventOrderCreated, order.EventOrderStatusChanged, order.EventOrderMetadataChanged, order.EventPaymentCaptured,
		order.EventRefundSucceeded, order.EventFulfillmentShipped, order.EventFulfillmentDelivered,
	} {
		if !seen[want] {
			t.Errorf("no %s was seen", want)
		}
	}
}

func TestEveryFormIsOfAType(t *testing.T) {
	for _, form := range wire.EventForms() {
		if !slices.Contains(order.EventTypes(), form.Type) {
			t.Errorf("%s is no type of event", form.Type)
		}
	}
}

func formOf(t *testing.T, eventType order.EventType) wire.EventForm {
	t.Helper()
	i := slices.IndexFunc(wire.EventForms(), func(f wire.EventForm) bool { return f.Type == eventType })
	if i < 0 {
		t.Fatalf("there is no form of %s", eventType)
	}
	return wire.EventForms()[i]
}
