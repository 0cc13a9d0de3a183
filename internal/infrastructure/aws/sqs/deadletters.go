package sqs

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"order-processing-service/internal/application/receiving"
	ours "order-processing-service/internal/infrastructure/aws"
)

// The attributes of a dead letter, besides receiving.OriginalIDAttribute.
const (
	reasonCodeName = "reason"
	reasonTextName = "reason-text"
	groupName      = "message-group-id" // of the queue that it comes from, if that is a FIFO queue
)

// maxMessage is the most that a message may come to with its attributes, in bytes.
const maxMessage = 1 << 20

// DeadLetters is the queue that messages are set aside in. It is safe for concurrent use.
type DeadLetters struct {
	client *sqs.Client
	find   func(ctx context.Context) (url string, err error)

	mu  sync.Mutex
	url string // "" until it is known
}

var _ receiving.DeadLetters = (*DeadLetters)(nil)

// DeadLettersConfig says which queue messages are set aside in. One of the URLs is needed.
type DeadLettersConfig struct {
	AWS aws.Config
	// URL is the address of the queue. Default: that of the redrive policy of QueueURL, which is looked up when it is first
	// needed.
	URL string
	// QueueURL is the address of the queue that the messages come from.
	QueueURL string
}

// NewDeadLetters returns the queue. It asks nobody yet.
func NewDeadLetters(c DeadLettersConfig) *DeadLetters {
	client := sqs.NewFromConfig(c.AWS)
	return &DeadLetters{client: client, url: c.URL, find: func(ctx context.Context) (string, error) {
		policy, err := redrivePolicyOf(ctx, client, c.QueueURL)
		return policy.url, err
	}}
}

// where is the URL of the queue.
func (d *DeadLetters) where(ctx context.Context) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.url != "" {
		return d.url, nil
	}
	url, err := d.find(ctx)
	if err != nil {
		return "", err
	}
	d.url = url
	return url, nil
}

func deadLettersAt(url, action string) ours.Target {
	return ours.Target{
		Name: fmt.Sprintf("dead-letter queue %q", url), Setting: "COMMANDS_DEAD_LETTER_QUEUE_URL", Action: action, AboutMessage: aboutMessage(),
	}
}

// Send implements receiving.DeadLetters.
func (d *DeadLetters) Send(ctx context.Context, m receiving.Message, why receiving.Reason) error {
	url, err := d.where(ctx)
	if err != nil {
		return err
	}
	input := &sqs.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String(string(m.Body)), MessageAttributes: attributes(
			reasonCodeName, why.Code, reasonTextName, why.Text, receiving.OriginalIDAttribute, m.ID, groupName, m.Group,
		),
		MessageSystemAttributes: traceAttribute(m.Trace),
	}
	if isFIFO(url) {
		input.MessageGroupId, input.MessageDeduplicationId = aws.String(groupID(cmp.Or(m.Group, m.ID))), aws.String(sendingID(&m))
	}
	size := len(m.Body)
	for name, a := range input.MessageAttributes {
		size += len(name) + len(*a.DataType) + len(*a.StringValue)
	}
	if size > maxMessage {
		input.MessageAttributes = nil // the message itself matters more; the log has the reason
	}
	_, err = d.client.SendMessage(ctx, input)
	return deadLettersAt(url, "sqs:SendMessage").Fault(err)
}
