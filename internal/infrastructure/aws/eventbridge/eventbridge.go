// Package eventbridge tells events to an Amazon EventBridge bus.
package eventbridge

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	ours "order-processing-service/internal/infrastructure/aws"
)

// Limits of one PutEvents call, which AWS counts as entrySize does.
const (
	maxEntries = 10
	maxBytes   = 256<<10 - 1 // it must be less than 256 KiB
)

// Config says which bus events go to. All fields but DataRef are needed.
type Config struct {
	AWS aws.Config
	// Bus is the name or the ARN of the bus.
	Bus string
	// DataRef says where an order is found whose event is too large for an entry.
	DataRef func(order.ID) string
}

// Events is the subscriber called "events". An entry holds one event; EventBridge itself promises no order among entries,
// but none is sent before an earlier one of its order was taken. It is safe for concurrent use.
type Events struct {
	client *eventbridge.Client
	bus    string
	ref    func(order.ID) string
	target ours.Target
	calls  ours.Calls[types.PutEventsRequestEntry]
	found  atomic.Bool // the bus is there
}

var _ delivery.Subscriber = (*Events)(nil)

// New returns a publisher of events. It asks nobody yet.
func New(c Config) *Events {
	e := &Events{
		client: eventbridge.NewFromConfig(c.AWS), bus: c.Bus, ref: c.DataRef,
		target: ours.Target{
			Name: fmt.Sprintf("EventBridge bus %q", c.Bus), Setting: "EVENT_BUS_NAME", Action: "events:PutEvents",
			AboutMessage: []string{"ValidationException", "InvalidArgument", "PutEventsRequestEntrySizeExceeded", "SerializationException"},
		},
	}
	e.calls = ours.Calls[types.PutEventsRequestEntry]{
		MaxEntries: maxEntries, MaxBytes: maxBytes, Entry: e.entry, Send: e.put,
	}
	return e
}

// Name implements delivery.Subscriber.
func (*Events) Name() string { return "events" }

// Check reports whether the bus can be reached and is there, as a fault of kind Unavailable that says what to do. Who may
// not look at the bus may yet be allowed to put events: that is no error.
func (e *Events) Check(ctx context.Context) error {
	_, err := e.client.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: &e.bus})
	if err != nil && !ours.IsDenied(err) {
		return e.target.Fault(err)
	}
	e.found.Store(true)
	return nil
}

// Deliver implements delivery.Subscriber. Nothing is sent before the bus was found, because EventBridge may take entries for
// a bus that does not exist, and drop them.
func (e *Events) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	if !e.found.Load() {
		if err := e.Check(ctx); err != nil {
			results := make([]delivery.Result, len(messages))
			for i := range results {
				results[i].Err = err
			}
			return results
		}
	}
	return e.calls.Deliver(ctx, messages)
}

// entry makes the entry of an event. What is too large tells where the order is found instead.
func (e *Events) entry(m *delivery.Message, event *order.Event) (types.PutEventsRequestEntry, int) {
	v := m.Order.View()
	entry := types.PutEventsRequestEntry{
		Source: aws.String(wire.EventSource), DetailType: aws.String(string(event.Type)), EventBusName: &e.bus,
		Time: aws.Time(event.Time), Resources: []string{"orders/" + v.ID.String()},
		Detail: aws.String(string(wire.AppendEventData(nil, v.ID, v.CustomerID, event, v.Currency))),
	}
	if header := ours.TraceHeader(event.Trace); header != "" {
		entry.TraceHeader = &header
	}
	size := entrySize(&entry)
	if size > maxBytes {
		entry.Detail = aws.String(string(wire.AppendEventReference(nil, v.ID, v.CustomerID, event, e.ref(v.ID))))
		size = entrySize(&entry)
	}
	return entry, size
}

// entrySize is the size of an entry as EventBridge counts it, in bytes: "Calculating PutEvents event entry size" in its
// user guide.
func entrySize(entry *types.PutEventsRequestEntry) int {
	const timeSize = 14
	size := timeSize + len(*entry.Source) + len(*entry.DetailType) + len(*entry.Detail)
	for _, resource := range entry.Resources {
		size += len(resource)
	}
	return size
}

func (e *Events) put(ctx context.Context, entries []types.PutEventsRequestEntry) ([]error, error) {
	answer, err := e.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err != nil {
		if ours.IsMissing(err) {
			e.found.Store(false)
		}
		return nil, e.target.Fault(err)
	}
	if len(answer.Entries) != len(entries) {
		return nil, fault.New(fault.Unavailable, "aws_failed", fmt.Sprintf("%s answered %d of %d entries", e.target.Name, len(answer.Entries), len(entries)))
	}
	// A call can be answered with 200 and none of its entries taken.
	errs := make([]error, len(entries))
	for i := range answer.Entries {
		if code := aws.ToString(answer.Entries[i].ErrorCode); code != "" {
			errs[i] = e.target.Refused(code, aws.ToString(answer.Entries[i].ErrorMessage))
		}
	}
	return errs, nil
}
