package httpapi

import (
	"maps"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
)

const eventsText = "Every change of an order is told as one or more events, at least once to each subscriber and in the order's own " +
	"sequence. A repeat has the same id. On Amazon EventBridge an event is an entry with `source` as Source, `type` as DetailType and " +
	"`data` as Detail; elsewhere it comes in the envelope of CloudEvents 1.0 that is described here."

// asyncAPI returns the AsyncAPI 3 document of the events and of the commands, as JSON.
func asyncAPI() ([]byte, error) {
	r := newRegistry()
	envelope := r.Schema(reflect.TypeFor[wire.CloudEvent](), false, "")
	messages, inChannel, inOperation := object{}, object{}, []object{}
	for _, form := range wire.EventForms() {
		name := string(form.Type)
		messages[name] = object{
			"name": name, "title": name, "summary": form.Doc, "contentType": "application/cloudevents+json",
			"payload": envelopeOf(envelope, form, r),
		}
		inChannel[name] = object{"$ref": "#/components/messages/" + name}
		inOperation = append(inOperation, object{"$ref": "#/channels/orders/messages/" + name})
	}
	commands, commandsInOperation := commandMessages(r, messages)
	complete(r)
	schemas := object{}
	for name, s := range r.Map() {
		if slices.Contains([]string{"CloudEvent", "PlainCommand", "EventBridgeCommand", "CloudEventCommand"}, name) {
			continue // it is in the messages
		}
		schemas[name] = s
	}
	text, err := json.Marshal(object{
		"asyncapi": "3.0.0",
		"info": object{
			"title": "Order Processing Service: events and commands", "version": contractVersion, "description": eventsText,
			"license": object{"name": "Apache-2.0"},
		},
		"defaultContentType": "application/cloudevents+json",
		"channels": object{
			"orders": object{
				"title": "Changes of orders", "description": "What happens to orders.", "messages": inChannel,
			},
			"commands": object{
				"title": "Commands", "description": "What other systems say of orders: the SQS queue of 'orders worker' or of the Lambda function.",
				"messages": commands,
			},
		},
		"operations": object{
			"tellChange": object{
				"action": "send", "summary": "The service tells of a change.",
				"channel": object{"$ref": "#/channels/orders"}, "messages": inOperation,
			},
			"applyCommand": object{
				"action": "receive", "summary": "The service applies what another system says of an order, once, however often and in whatever order it comes.",
				"channel": object{"$ref": "#/channels/commands"}, "messages": commandsInOperation,
			},
		},
		"components": object{"messages": messages, "schemas": schemas},
	}, json.Deterministic(true))
	if err != nil {
		return nil, err //nolint:wrapcheck // it is only seen when this package is changed
	}
	return indented(text)
}

// envelopeOf returns the schema of the envelope around events of one form.
func envelopeOf(envelope *huma.Schema, form wire.EventForm, r huma.Registry) *huma.Schema {
	s := *envelope
	s.Title = string(form.Type)
	s.Description = form.Doc
	s.Properties = maps.Clone(envelope.Properties)
	eventType := *s.Properties["type"]
	eventType.Enum, eventType.Examples = []any{string(form.Type)}, []any{string(form.Type)}
	s.Properties["type"] = &eventType
	s.Properties["data"] = r.Schema(reflect.TypeOf(form.Data), true, "")
	if form.Type == order.EventOrderCreated { // no other is ever too large
		s.Properties["data"] = &huma.Schema{
			Description: "The data, or where it is too large for EventBridge or SQS (256 KiB), where the order is found.",
			AnyOf:       []*huma.Schema{s.Properties["data"], r.Schema(reflect.TypeFor[wire.EventReferenceData](), true, "")},
		}
	}
	return &s
}
