package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Limits of a command.
const (
	MaxCommand       = 1 << 20 // bytes, the most that a message of SQS can have
	MaxCommandID     = 255     // printable ASCII characters
	MaxCommandSource = 128     // printable ASCII characters
)

// Command is what another system says of an order, as it was read from a message.
type Command struct {
	// ID is the event's own id; "" if it has none. It is told apart from those of other sources only.
	ID string
	// Source is the system that says it; "" if that is not known.
	Source  string
	OrderID order.ID
	Report  order.Report // without a record
}

// DecodeCommand reads a command in any of its forms: plain, or in the envelope of EventBridge or CloudEvents. Members that
// it does not know are passed over, as these are other systems' events. What can be read of the command is returned beside
// an error, a fault: Malformed when the text is no JSON (duplicate names and invalid UTF-8 included), TooLarge, Invalid with
// every field at fault when it is no command.
func DecodeCommand(text []byte) (Command, error) {
	if len(text) > MaxCommand {
		return Command{}, fault.New(fault.TooLarge, "command_too_large", "a command must have at most "+strconv.Itoa(MaxCommand)+" bytes")
	}
	r := newReader(text)
	defer r.close()
	d := commandReader{reader: r}
	err := r.whole(d.read)
	if fault.KindOf(err) == fault.Malformed && err != nil {
		return d.command, err
	}
	switch t := d.command.Report.Type; {
	case d.command.Source == EventSource:
		return d.command, commandFault("command_own_event", "source", "must not be this service: keep its own events out of the queue")
	case t != "" && !slices.Contains(order.ReportTypes(), t):
		return d.command, commandFault("command_type_unknown", d.typeAt(), "must be one of "+list(order.ReportTypes())+", not "+quoted(string(t)))
	}
	return d.command, err
}

// commandFault is a fault that has a code of its own, so that it can be told from others among dead letters.
func commandFault(code, location, message string) error {
	err := fault.OfFields([]fault.Field{{Location: location, Message: message}})
	err.Code = code
	return err
}

// quoted shows a text of somebody else's in a sentence.
func quoted(text string) string {
	const most = 64
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strconv.Quote(text)
}

// The members by which envelopes are known.
const (
	eventBridge = "detail-type"
	cloudEvent  = "specversion"
)

// commandReader reads one command. Which form it has is seen in its members, which come in any order.
type commandReader struct {
	*reader
	command  Command
	envelope string // the member that says which envelope it is; "" for none
	orderID  string
	subject  string // of a CloudEvent
	dataID   string // an id that the data itself has: it stays the same when the event is put again
	hasData  bool
}

func (d *commandReader) read() error {
	if err := d.object("must be an object: a command", d.member); err != nil {
		return err
	}
	if d.envelope == cloudEvent || d.envelope == "" && d.hasData {
		// CloudEvents asks for types that begin with a domain: com.example.PaymentSucceeded.
		t := &d.command.Report.Type
		*t = (*t)[strings.LastIndexByte(string(*t), '.')+1:]
	}
	if len(d.faults) == 0 {
		d.complete()
	}
	return nil
}

// member reads a member of the outermost object.
func (d *commandReader) member(name string) error {
	switch name {
	case eventBridge:
		d.envelope = name
		return d.optionalText((*string)(&d.command.Report.Type))
	case "type":
		return d.optionalText((*string)(&d.command.Report.Type))
	case cloudEvent:
		d.envelope = name
		return d.dec.SkipValue()
	case "id":
		return d.printable(&d.command.ID, MaxCommandID)
	case "source":
		return d.printable(&d.command.Source, MaxCommandSource)
	case "subject":
		return d.optionalText(&d.subject)
	case "detail", "data":
		d.hasData = true
		return d.object("must be an object: what the command says", d.said)
	}
	return d.said(name)
}

// said reads a member of what the command says: the outermost object of a plain one, else what is in the envelope.
func (d *commandReader) said(name string) error {
	r := &d.command.Report
	switch name {
	case "orderId", "order_id":
		if d.orderID != "" {
			return d.wrong("is said twice")
		}
		return d.optionalText(&d.orderID)
	case "eventId":
		return d.printable(&d.dataID, MaxCommandID)
	case "amount":
		if d.null() {
			return d.dec.SkipValue()
		}
		return d.price(&r.Amount)
	case "currency":
		return d.optionalText(&r.Currency)
	case "carrier":
		return d.optionalText(&r.Carrier)
	case "tracking":
		return d.optionalText(&r.Tracking)
	}
	return d.dec.SkipValue()
}

// printable reads an optional text of printable ASCII.
func (d *commandReader) printable(into *string, most int) error {
	before := len(d.faults)
	if err := d.optionalText(into); err != nil || len(d.faults) > before {
		return err
	}
	if len(*into) > most || strings.ContainsFunc(*into, func(c rune) bool { return c < 0x20 || c > 0x7e }) {
		d.fault(fmt.Sprintf("must have at most %d printable ASCII characters", most))
		*into = ""
	}
	return nil
}

// typeAt is where the type stands.
func (d *commandReader) typeAt() string {
	if d.envelope == eventBridge {
		return eventBridge
	}
	return "type"
}

// complete holds the command against what only the whole can tell.
func (d *commandReader) complete() {
	at := func(location, message string) {
		d.faults = append(d.faults, fault.Field{Location: location, Message: message})
	}
	if d.command.Report.Type == "" {
		at(d.typeAt(), "is required: one of "+list(order.ReportTypes()))
	}
	within := ""
	switch {
	case d.envelope == eventBridge:
		within = "detail."
	case d.envelope != "" || d.hasData:
		within = "data."
	}
	if d.orderID == "" {
		d.orderID = d.subject
	}
	if d.orderID == "" {
		at(within+"orderId", "is required: the order's id")
		return
	}
	id, err := order.ParseID(d.orderID)
	if err != nil {
		at(within+"orderId", "must be an order's id: 24 hexadecimal digits")
	}
	d.command.OrderID = id
	if d.dataID != "" {
		d.command.ID = d.dataID
	}
}
