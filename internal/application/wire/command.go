package wire

import "order-processing-service/internal/domain/order"

// CommandData is what every command says.
type CommandData struct {
	OrderID string `json:"orderId" pattern:"^[0-9A-Fa-f]{24}$" example:"6743f1a0c2d4e6f801234567" doc:"The order's id."`
	EventID string `json:"eventId,omitempty" maxLength:"255" pattern:"^[ -~]*$" example:"pay-81" doc:"An id that the event has wherever it is; it counts more than that of the envelope."`
}

// PaymentCommand is what PaymentSucceeded and PaymentFailed say.
type PaymentCommand struct {
	CommandData
	Amount   Price   `json:"amount,omitempty" doc:"How much, in the units of the currency. A payment that succeeded must be of what is due. Default: that, or for a payment that failed the order's total."`
	Currency *string `json:"currency,omitempty" pattern:"^[A-Z]{3}$" nullable:"true" example:"EUR" doc:"ISO 4217 code of the currency, which must be the order's."`
}

// ShipmentCommand is what ShipmentDispatched says.
type ShipmentCommand struct {
	CommandData
	Carrier  *string `json:"carrier,omitempty" maxLength:"64" nullable:"true" example:"Correos" doc:"Who carries the goods."`
	Tracking *string `json:"tracking,omitempty" maxLength:"128" nullable:"true" example:"PK123456" doc:"The carrier's own number."`
}

// PlainCommand is what a command has besides what it says, where it has no envelope.
type PlainCommand struct {
	ID     *string          `json:"id,omitempty" maxLength:"255" pattern:"^[ -~]*$" nullable:"true" example:"pay-81" doc:"The event's own id: with it a repeat is known. Default: the id of the message."`
	Type   order.ReportType `json:"type" doc:"What it is about."`
	Source *string          `json:"source,omitempty" maxLength:"128" pattern:"^[ -~]*$" nullable:"true" example:"com.example.payments" doc:"The system that says it. Ids are told apart by it."`
}

// EventBridgeCommand is the envelope that Amazon EventBridge brings. Data is what the command says.
type EventBridgeCommand struct {
	ID         string           `json:"id" maxLength:"255" pattern:"^[ -~]*$" example:"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa" doc:"EventBridge's id of the event."`
	DetailType order.ReportType `json:"detail-type" doc:"What it is about."`
	Source     string           `json:"source" maxLength:"128" pattern:"^[ -~]*$" example:"com.example.payments" doc:"The system that says it."`
	Detail     any              `json:"detail" doc:"What it says."`
}

// CloudEventCommand is the envelope of CloudEvents 1.0.
type CloudEventCommand struct {
	SpecVersion string `json:"specversion" enum:"1.0" example:"1.0" doc:"The version of CloudEvents."`
	ID          string `json:"id" maxLength:"255" pattern:"^[ -~]*$" example:"pay-81" doc:"The event's id."`
	Source      string `json:"source" maxLength:"128" pattern:"^[ -~]*$" example:"com.example.payments" doc:"The system that says it."`
	Type        string `json:"type" example:"com.example.PaymentSucceeded" doc:"What it is about; a domain may stand before it."`
	Data        any    `json:"data" doc:"What it says."`
}

// CommandForm is the form of one type of command.
type CommandForm struct {
	Type order.ReportType
	// Data is the zero value of the type of what it says.
	Data any
	// Doc says in one sentence what it does.
	Doc string
}

// CommandForms lists every type of command, with its form.
func CommandForms() []CommandForm {
	return []CommandForm{
		{order.ReportPaymentSucceeded, PaymentCommand{}, "The order was paid: it becomes PAID."},
		{order.ReportPaymentFailed, PaymentCommand{}, "A payment failed: it is recorded, and the status stays."},
		{order.ReportShipmentDispatched, ShipmentCommand{}, "The goods have left: the order becomes SHIPPED."},
		{order.ReportShipmentDelivered, CommandData{}, "The goods have arrived: the order becomes DELIVERED."},
		{order.ReportCancellationRequested, CommandData{}, "The order is to be canceled: it becomes CANCELED, and what was paid is given back."},
	}
}
