package httpapi

import (
	"maps"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"order-processing-service/internal/application/wire"
)

// commandMessages adds the messages of the commands, and returns how a channel and an operation name them. A command is not
// named as an event of the service is: both may be called PaymentFailed.
func commandMessages(r huma.Registry, messages object) (inChannel object, inOperation []object) {
	plain := r.Schema(reflect.TypeFor[wire.PlainCommand](), false, "")
	bus := r.Schema(reflect.TypeFor[wire.EventBridgeCommand](), false, "")
	cloud := r.Schema(reflect.TypeFor[wire.CloudEventCommand](), false, "")
	inChannel = object{}
	for _, envelope := range []*huma.Schema{plain, bus, cloud} {
		envelope.AdditionalProperties = true // other systems say more
	}
	for _, form := range wire.CommandForms() {
		name := string(form.Type) + "Command"
		data := r.Schema(reflect.TypeOf(form.Data), true, "")
		r.SchemaFromRef(data.Ref).AdditionalProperties = true
		only := func(s *huma.Schema) *huma.Schema {
			s.Enum, s.Examples = []any{string(form.Type)}, []any{string(form.Type)}
			return s
		}
		messages[name] = object{
			"name": name, "title": string(form.Type), "summary": form.Doc, "contentType": "application/json",
			"payload": &huma.Schema{Title: name, Description: form.Doc, AnyOf: []*huma.Schema{
				flat(commandOf(plain, "Plain", map[string]*huma.Schema{"type": only(&huma.Schema{Type: huma.TypeString})}), r.SchemaFromRef(data.Ref)),
				commandOf(bus, "In the envelope of EventBridge", map[string]*huma.Schema{
					"detail-type": only(&huma.Schema{Type: huma.TypeString}), "detail": data,
				}),
				commandOf(cloud, "As a CloudEvent", map[string]*huma.Schema{
					"type": {Type: huma.TypeString, Pattern: `^(.+\.)?` + string(form.Type) + "$", Examples: []any{"com.example." + string(form.Type)}},
					"data": data,
				}),
			}},
		}
		inChannel[name] = object{"$ref": "#/components/messages/" + name}
		inOperation = append(inOperation, object{"$ref": "#/channels/commands/messages/" + name})
	}
	return inChannel, inOperation
}

// commandOf is an envelope of one type of command.
func commandOf(envelope *huma.Schema, title string, particular map[string]*huma.Schema) *huma.Schema {
	s := *envelope
	s.Title = title
	s.Properties = maps.Clone(envelope.Properties)
	for name, property := range particular {
		property.Description = s.Properties[name].Description
		if property.Ref != "" {
			property = &huma.Schema{Ref: property.Ref}
		}
		s.Properties[name] = property
	}
	return &s
}

// flat adds to a command without an envelope what it says.
func flat(command, data *huma.Schema) *huma.Schema {
	maps.Copy(command.Properties, data.Properties)
	command.Required = append(slices.Clone(command.Required), data.Required...)
	return command
}
