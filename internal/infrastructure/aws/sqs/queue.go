package sqs

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/fault"
	ours "order-processing-service/internal/infrastructure/aws"
)

const (
	// longPoll is how long SQS waits for a message before it answers that there is none; it is the most that it takes.
	longPoll = 20 * time.Second
	// pollTimeout bounds one call that waits.
	pollTimeout = longPoll + 10*time.Second
)

// Queue is a queue that messages are taken from. It is safe for concurrent use.
type Queue struct {
	client *sqs.Client
	poller *sqs.Client // has the patience to wait
	url    string
	fifo   bool
}

var _ receiving.Queue = (*Queue)(nil)

// NewQueue returns the queue with the URL. It asks nobody yet.
func NewQueue(c aws.Config, url string) *Queue {
	return &Queue{client: sqs.NewFromConfig(c), poller: patient(c), url: url, fifo: isFIFO(url)}
}

// patient is a client whose calls may wait for messages.
func patient(c aws.Config) *sqs.Client {
	return sqs.NewFromConfig(c, func(o *sqs.Options) {
		if client, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = client.WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = pollTimeout })
		}
	})
}

// Receive implements receiving.Queue.
func (q *Queue) Receive(ctx context.Context, most int, hide time.Duration) ([]receiving.Received, error) {
	messages, err := receive(ctx, q.poller, q.url, most, hide, longPoll)
	if err != nil {
		return nil, commandsAt(q.url, "sqs:ReceiveMessage").Fault(err)
	}
	all := make([]receiving.Received, len(messages))
	for i := range messages {
		all[i] = receiving.Received{Message: message(&messages[i], q.fifo), Receipt: aws.ToString(messages[i].ReceiptHandle)}
	}
	return all, nil
}

func receive(ctx context.Context, client *sqs.Client, url string, most int, hide, wait time.Duration) ([]types.Message, error) {
	answer, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: int32(most), //nolint:gosec // at most ten
		VisibilityTimeout: seconds(hide), WaitTimeSeconds: seconds(wait),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp,
			types.MessageSystemAttributeNameMessageGroupId, types.MessageSystemAttributeNameAWSTraceHeader,
		},
		MessageAttributeNames: []string{receiving.OriginalIDAttribute, reasonCodeName, reasonTextName, groupName},
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller knows which queue it is
	}
	return answer.Messages, nil
}

// message is a message of SQS as the application knows it.
func message(m *types.Message, fifo bool) receiving.Message {
	system := func(name types.MessageSystemAttributeName) string { return m.Attributes[string(name)] }
	receives, _ := strconv.Atoi(system(types.MessageSystemAttributeNameApproximateReceiveCount))
	got := receiving.Message{
		ID:   cmp.Or(stringAttribute(m, receiving.OriginalIDAttribute), aws.ToString(m.MessageId)),
		Body: []byte(aws.ToString(m.Body)), Receives: receives,
	}
	if fifo { // in a standard queue a group means something else
		got.Group = system(types.MessageSystemAttributeNameMessageGroupId)
	}
	if milliseconds, err := strconv.ParseInt(system(types.MessageSystemAttributeNameSentTimestamp), 10, 64); err == nil {
		got.SentAt = time.UnixMilli(milliseconds)
	}
	if t, ok := correlation.ParseXRay(system(types.MessageSystemAttributeNameAWSTraceHeader)); ok {
		got.Trace = t.Traceparent()
	}
	return got
}

// seconds are whole ones, as SQS counts, and at least what was asked for.
func seconds(d time.Duration) int32 {
	return int32((d + time.Second - 1) / time.Second) //nolint:gosec // at most some hours
}

// Delete implements receiving.Queue.
func (q *Queue) Delete(ctx context.Context, receipts []string) []error {
	return deleteAll(ctx, q.client, commandsAt(q.url, "sqs:DeleteMessage"), q.url, receipts)
}

func deleteAll(ctx context.Context, client *sqs.Client, target ours.Target, url string, receipts []string) []error {
	entries := make([]types.DeleteMessageBatchRequestEntry, len(receipts))
	for i := range receipts {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &receipts[i]}
	}
	answer, err := client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: entries})
	if err != nil {
		return all(len(receipts), target.Fault(err))
	}
	errs := unanswered(len(receipts), target)
	for i := range answer.Successful {
		answered(errs, answer.Successful[i].Id, nil)
	}
	for i := range answer.Failed {
		answered(errs, answer.Failed[i].Id, target.Refused(aws.ToString(answer.Failed[i].Code), aws.ToString(answer.Failed[i].Message)))
	}
	return errs
}

// Hide implements receiving.Queue.
func (q *Queue) Hide(ctx context.Context, messages []receiving.Hidden) []error {
	return hideAll(ctx, q.client, commandsAt(q.url, "sqs:ChangeMessageVisibility"), q.url, messages)
}

func hideAll(ctx context.Context, client *sqs.Client, target ours.Target, url string, messages []receiving.Hidden) []error {
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(messages))
	for i := range messages {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &messages[i].Receipt, VisibilityTimeout: seconds(messages[i].For),
		}
	}
	answer, err := client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: entries})
	if err != nil {
		return all(len(messages), target.Fault(err))
	}
	errs := unanswered(len(messages), target)
	for i := range answer.Successful {
		answered(errs, answer.Successful[i].Id, nil)
	}
	for i := range answer.Failed {
		answered(errs, answer.Failed[i].Id, target.Refused(aws.ToString(answer.Failed[i].Code), aws.ToString(answer.Failed[i].Message)))
	}
	return errs
}

// Check reports whether the queue can be reached and is there, and whether there is a dead-letter queue that the messages
// come to in time, as a fault that says what to do. Who may not look at the queue may yet be allowed to receive: that is no
// error. DeadLetterURL is that of the settings, and receives is how often a message may have to come.
func (q *Queue) Check(ctx context.Context, deadLetterURL string, receives int) error {
	policy, err := redrivePolicyOf(ctx, q.client, q.url)
	switch {
	case errors.Is(err, errNoDeadLetters) && deadLetterURL != "", ours.IsDenied(err):
		return nil
	case err != nil:
		return err
	case policy.maxReceives > 0 && policy.maxReceives <= receives:
		return fault.New(fault.Invalid, "max_receive_count_low", "the queue "+q.url+" gives messages up after "+
			strconv.Itoa(policy.maxReceives)+" receives, before the service does; set the maxReceiveCount of its redrive policy to more than "+
			strconv.Itoa(receives)+", or lower COMMANDS_EARLY_RECEIVES")
	}
	return nil
}

// all is the same answer for every entry of a call.
func all(count int, err error) []error {
	errs := make([]error, count)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// unanswered are the answers of a call that has named none of its entries yet. What it does not name has failed.
func unanswered(count int, target ours.Target) []error {
	return all(count, fault.New(fault.Unavailable, "aws_failed", target.Name+" did not say what became of the message"))
}

func answered(errs []error, id *string, err error) {
	if n, ok := entryNumber(id, len(errs)); ok {
		errs[n] = err
	}
}
