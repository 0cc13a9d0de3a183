package httpapi

import (
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

const schemasAt = "#/components/schemas/"

// newRegistry returns a registry of schemas that knows what the Go types of package wire and of the
// domain don't say themselves.
func newRegistry() huma.Registry {
	r := huma.NewMapRegistry(schemasAt, huma.DefaultSchemaNamer)
	for from, to := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[order.Status]():            reflect.TypeFor[statusSchema](),
		reflect.TypeFor[order.PaymentStatus]():     reflect.TypeFor[paymentStatusSchema](),
		reflect.TypeFor[order.FulfillmentStatus](): reflect.TypeFor[fulfillmentStatusSchema](),
		reflect.TypeFor[order.PaymentState]():      reflect.TypeFor[paymentStateSchema](),
		reflect.TypeFor[order.RefundState]():       reflect.TypeFor[refundStateSchema](),
		reflect.TypeFor[order.FulfillmentState]():  reflect.TypeFor[fulfillmentStateSchema](),
		reflect.TypeFor[order.ReturnState]():       reflect.TypeFor[returnStateSchema](),
		reflect.TypeFor[order.EventType]():         reflect.TypeFor[eventTypeSchema](),
		reflect.TypeFor[order.ReportType]():        reflect.TypeFor[reportTypeSchema](),
		reflect.TypeFor[wire.Decimal]():            reflect.TypeFor[decimalSchema](),
		reflect.TypeFor[wire.Price]():              reflect.TypeFor[priceSchema](),
		reflect.TypeFor[wire.Currency]():           reflect.TypeFor[currencySchema](),
		reflect.TypeFor[wire.Moment]():             reflect.TypeFor[momentSchema](),
		reflect.TypeFor[wire.Metadata]():           reflect.TypeFor[metadataSchema](),
		reflect.TypeFor[wire.MetadataPatch]():      reflect.TypeFor[metadataPatchSchema](),
		reflect.TypeFor[wire.EventDetail]():        reflect.TypeFor[eventDetailSchema](),
	} {
		r.RegisterTypeAlias(from, to)
	}
	return r
}

// complete adds to registered schemas what tags can't say.
func complete(r huma.Registry) {
	for name, s := range r.Map() {
		if name == "Patch" {
			s.MinProperties = new(1)
		}
		for _, property := range s.Properties {
			if property.Nullable && property.Enum != nil && !slices.Contains(property.Enum, any(nil)) {
				property.Enum = append(property.Enum, nil)
			}
		}
	}
}

type (
	statusSchema            struct{}
	paymentStatusSchema     struct{}
	fulfillmentStatusSchema struct{}
	paymentStateSchema      struct{}
	refundStateSchema       struct{}
	fulfillmentStateSchema  struct{}
	returnStateSchema       struct{}
	eventTypeSchema         struct{}
	reportTypeSchema        struct{}
	decimalSchema           struct{}
	priceSchema             struct{}
	currencySchema          struct{}
	momentSchema            struct{}
	metadataSchema          struct{}
	metadataPatchSchema     struct{}
	eventDetailSchema       struct{}
)

func (statusSchema) Schema(huma.Registry) *huma.Schema {
	return enumeration(order.Statuses(), "")
}

func (paymentStatusSchema) Schema(huma.Registry) *huma.Schema {
	return enumeration(order.PaymentStatuses(), "")
}

func (fulfillmentStatusSchema) Schema(huma.Registry) *huma.Schema {
	return enumeration(order.FulfillmentStatuses(), "")
}

func (paymentStateSchema) Schema(huma.Registry) *huma.Schema {
	return enumeration([]order.PaymentState{
		order.PaymentStatePending, order.PaymentStateAuthorized, order.PaymentStateCaptured,
		order.PaymentStateFailed, order.PaymentStateVoided,
	}, "")
}

func (refundStateSchema) Schema(huma.Registry) *huma.Schema {
	return enumeration([]order.RefundState{order.RefundStatePending, order.RefundStateSucceeded, order.RefundStateFailed}, "")
}

func (fulfillmentStateSchema) Schema(huma.Registry) *huma.Schema {
	return enumeration([]order.FulfillmentState{
		order.FulfillmentStatePending, order.FulfillmentStateShipped, order.FulfillmentStateDelivered, order.FulfillmentStateCanceled,
	}, "")
}

func (returnStateSchema) Schema(huma.Registry) *huma.Schema {
	return enumeration([]order.ReturnState{order.ReturnStateRequested, order.ReturnStateReceived, order.ReturnStateDeclined}, "")
}

func (eventTypeSchema) Schema(huma.Registry) *huma.Schema {
	var types []order.EventType
	for _, form := range wire.EventForms() {
		types = append(types, form.Type)
	}
	return enumeration(types, "")
}

func (reportTypeSchema) Schema(huma.Registry) *huma.Schema {
	return enumeration(order.ReportTypes(), "")
}

func (decimalSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber}
}

// pricePattern is the grammar of a JSON number that is not negative.
const pricePattern = `^((0|[1-9][0-9]*)(\.[0-9]+)?|-0(\.0+)?)([eE][+-]?[0-9]+)?$`

func (priceSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{
		{Type: huma.TypeNumber, Minimum: new(0.0), Maximum: new(float64(money.MaxAmount)), Examples: []any{12.5}},
		{Type: huma.TypeString, Pattern: pricePattern, MaxLength: new(money.MaxPriceText), Examples: []any{"12.50"}},
	}}
}

func (currencySchema) Schema(huma.Registry) *huma.Schema {
	return enumeration(money.Codes(), "")
}

func (momentSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// textPattern lets no control characters pass.
const textPattern = `^[^\x00-\x1f\x7f-\x9f]*$`

func (metadataSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: &huma.Schema{Type: huma.TypeString, MaxLength: new(order.MaxMetadataValue), Pattern: textPattern},
		Extensions:           map[string]any{"propertyNames": metadataKey()},
	}
}

func (metadataPatchSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject,
		AdditionalProperties: &huma.Schema{
			Type: huma.TypeString, Nullable: true, MaxLength: new(order.MaxMetadataValue), Pattern: textPattern,
		},
		Extensions: map[string]any{"propertyNames": metadataKey()},
	}
}

func metadataKey() *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(order.MaxMetadataKey), Pattern: textPattern}
}

// eventDetailSchema is the data of an event of whatever type.
func (eventDetailSchema) Schema(r huma.Registry) *huma.Schema {
	s := new(huma.Schema)
	for _, form := range wire.EventForms() {
		ref := r.Schema(reflect.TypeOf(form.Data), true, "")
		if !slices.ContainsFunc(s.AnyOf, func(known *huma.Schema) bool { return known.Ref == ref.Ref }) {
			s.AnyOf = append(s.AnyOf, ref)
		}
	}
	return s
}
