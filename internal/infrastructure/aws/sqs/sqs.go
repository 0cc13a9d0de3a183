// Package sqs speaks to Amazon SQS queues, standard or FIFO: it tells events to one, takes commands from another and sets
// aside in a third what can't be applied.
package sqs

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
	ours "order-processing-service/internal/infrastructure/aws"
)

// Limits of one SendMessageBatch call. SQS counts bodies and attributes. A queue may allow more, up to 1 MiB, or less.
const (
	maxEntries = 10
	maxBytes   = 256 << 10
)

// The attribute by which a reader sees what the body is, without reading it.
const (
	contentTypeName  = "content-type"
	contentTypeValue = "application/cloudevents+json"
	attributeSize    = len(contentTypeName) + len("String") + len(contentTypeValue)
)

// Config says which queue events go to. All fields are needed.
type Config struct {
	AWS aws.Config
	// QueueURL is the address of the queue. A FIFO queue's ends in ".fifo".
	QueueURL string
	// DataRef says where an order is found whose event is too large for a message.
	DataRef func(order.ID) string
}

// Events is the subscriber called "events". A message holds one event in the JSON form of CloudEvents 1.0. In a FIFO queue
// the order's id is the message group and the event's id the deduplication id. It is safe for concurrent use.
type Events struct {
	client *sqs.Client
	url    string
	fifo   bool
	ref    func(order.ID) string
	target ours.Target
	calls  ours.Calls[types.SendMessageBatchRequestEntry]
}

var _ delivery.Subscriber = (*Events)(nil)

// New returns a publisher of events. It asks nobody yet.
func New(c Config) *Events {
	e := &Events{
		client: sqs.NewFromConfig(c.AWS), url: c.QueueURL, fifo: isFIFO(c.QueueURL), ref: c.DataRef,
		target: ours.Target{
			Name: fmt.Sprintf("SQS queue %q", c.QueueURL), Setting: "EVENTS_QUEUE_URL", Action: "sqs:SendMessage",
			AboutMessage: aboutMessage(),
		},
	}
	e.calls = ours.Calls[types.SendMessageBatchRequestEntry]{
		MaxEntries: maxEntries, MaxBytes: maxBytes, Entry: e.entry, Send: e.send,
	}
	return e
}

// aboutMessage are the codes by which SQS says that what was sent is wrong.
func aboutMessage() []string {
	return []string{
		"InvalidMessageContents", "AWS.SimpleQueueService.BatchRequestTooLong", "BatchRequestTooLong",
		"InvalidParameterValue", "InvalidAttributeValue", "InvalidBatchEntryId", "MissingParameter", "UnsupportedOperation",
		"AWS.SimpleQueueService.UnsupportedOperation", "ValidationException",
	}
}

// Name implements delivery.Subscriber.
func (*Events) Name() string { return "events" }

// Check reports whether the queue can be reached and is there, as a fault of kind Unavailable that says what to do. Who may
// not look at the queue may yet be allowed to send: that is no error.
func (e *Events) Check(ctx context.Context) error {
	_, err := e.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &e.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil && !ours.IsDenied(err) {
		return e.target.Fault(err)
	}
	return nil
}

// Deliver implements delivery.Subscriber.
func (e *Events) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	return e.calls.Deliver(ctx, messages)
}

// entry makes the message of an event. What is too large tells where the order is found instead.
func (e *Events) entry(m *delivery.Message, event *order.Event) (types.SendMessageBatchRequestEntry, int) {
	v := m.Order.View()
	body := wire.AppendCloudEvent(nil, v.ID, v.CustomerID, event, v.Currency)
	if len(body)+attributeSize > maxBytes {
		body = wire.AppendCloudEventReference(nil, v.ID, v.CustomerID, event, e.ref(v.ID))
	}
	entry := types.SendMessageBatchRequestEntry{
		MessageBody: aws.String(string(body)),
		MessageAttributes: map[string]types.MessageAttributeValue{
			contentTypeName: {DataType: aws.String("String"), StringValue: aws.String(contentTypeValue)},
		},
	}
	if e.fifo {
		entry.MessageGroupId = aws.String(v.ID.String())
		entry.MessageDeduplicationId = aws.String(order.EventID(v.ID, event.Sequence))
	}
	entry.MessageSystemAttributes = traceAttribute(event.Trace) // SQS does not count it
	return entry, len(body) + attributeSize
}

func (e *Events) send(ctx context.Context, entries []types.SendMessageBatchRequestEntry) ([]error, error) {
	for i := range entries {
		entries[i].Id = aws.String(strconv.Itoa(i))
	}
	answer, err := e.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &e.url, Entries: entries})
	if err != nil {
		return nil, e.target.Fault(err)
	}
	// The answer names each entry as taken or as failed. One that it does not name was not taken.
	errs := unanswered(len(entries), e.target)
	for i := range answer.Successful {
		answered(errs, answer.Successful[i].Id, nil)
	}
	for i := range answer.Failed {
		answered(errs, answer.Failed[i].Id, e.target.Refused(aws.ToString(answer.Failed[i].Code), aws.ToString(answer.Failed[i].Message)))
	}
	return errs, nil
}

func entryNumber(id *string, count int) (int, bool) {
	n, err := strconv.Atoi(aws.ToString(id))
	return n, err == nil && n >= 0 && n < count
}
