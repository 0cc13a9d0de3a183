// Package aws_test runs the program against an AWS that speaks the real protocols over HTTP: the one that
// TEST_AWS_ENDPOINT_URL names, which 'make test/aws' starts.
package aws_test

import (
	"context"
	"crypto/rand"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const region = "eu-west-1"

// cloud is an AWS with names of the test's own.
type cloud struct {
	endpoint    string
	name        string // of the bus, the queues and the bucket
	eventBridge *eventbridge.Client
	sqs         *sqs.Client
	s3          *s3.Client
	secrets     *secretsmanager.Client
}

// newCloud returns the AWS to test with, and has the program find it too. Without one the test is skipped, unless
// ORDERS_REQUIRE_AWS=1 says that there should be one.
func newCloud(t *testing.T) *cloud {
	t.Helper()
	endpoint := os.Getenv("TEST_AWS_ENDPOINT_URL")
	if endpoint == "" {
		const message = "AWS was not tried: TEST_AWS_ENDPOINT_URL names no server; 'make test/aws' starts one"
		if os.Getenv("ORDERS_REQUIRE_AWS") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	c, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &cloud{
		endpoint: endpoint, name: "orders-" + strings.ToLower(rand.Text()),
		eventBridge: eventbridge.NewFromConfig(c), sqs: sqs.NewFromConfig(c),
		s3:      s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }),
		secrets: secretsmanager.NewFromConfig(c),
	}
}

// makeBus makes the bus, with a rule that sends what the source tells to the queue.
func (c *cloud) makeBus(t *testing.T, queueURL, source string) {
	t.Helper()
	ctx := t.Context()
	_, err := c.eventBridge.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: &c.name})
	must(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx)
		_, err := c.eventBridge.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("orders"), EventBusName: &c.name, Ids: []string{"queue"}})
		check(t, err)
		_, err = c.eventBridge.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String("orders"), EventBusName: &c.name})
		check(t, err)
		_, err = c.eventBridge.DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: &c.name})
		check(t, err)
	})
	_, err = c.eventBridge.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: aws.String("orders"), EventBusName: &c.name, EventPattern: aws.String(`{"source":["` + source + `"]}`),
	})
	must(t, err)
	_, err = c.eventBridge.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: aws.String("orders"), EventBusName: &c.name,
		Targets: []ebtypes.Target{{Id: aws.String("queue"), Arn: aws.String(c.arn(t, queueURL))}},
	})
	must(t, err)
}

// arn is the ARN of a queue.
func (c *cloud) arn(t *testing.T, queueURL string) string {
	t.Helper()
	attributes, err := c.attributes(t.Context(), queueURL, sqstypes.QueueAttributeNameQueueArn)
	must(t, err)
	return attributes["QueueArn"]
}

func (c *cloud) attributes(ctx context.Context, queueURL string, names ...sqstypes.QueueAttributeName) (map[string]string, error) {
	answer, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queueURL, AttributeNames: names})
	if err != nil {
		return nil, err
	}
	return answer.Attributes, nil
}

// makeQueue makes a queue and returns its URL.
func (c *cloud) makeQueue(t *testing.T, suffix string) string {
	t.Helper()
	attributes := map[string]string{}
	if strings.HasSuffix(suffix, ".fifo") {
		attributes["FifoQueue"] = "true"
	}
	queue, err := c.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(c.name + suffix), Attributes: attributes})
	must(t, err)
	t.Cleanup(func() {
		_, err := c.sqs.DeleteQueue(context.WithoutCancel(t.Context()), &sqs.DeleteQueueInput{QueueUrl: queue.QueueUrl})
		check(t, err)
	})
	return *queue.QueueUrl
}

func (c *cloud) makeBucket(t *testing.T) {
	t.Helper()
	_, err := c.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &c.name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: region},
	})
	must(t, err)
}

// receive takes messages off a queue until there are count of them. The context's end fails the test.
func (c *cloud) receive(ctx context.Context, t *testing.T, queueURL string, count int) []sqstypes.Message {
	t.Helper()
	var all []sqstypes.Message
	for len(all) < count {
		got, err := c.take(ctx, queueURL, 1)
		if err != nil {
			t.Fatalf("%d of %d messages came: %v", len(all), count, err)
		}
		all = append(all, got...)
	}
	return all
}

// keepReading takes messages off a queue as they come, since the emulator takes the longer for a call the more are in one.
// What it returns ends that, and tells what came.
func (c *cloud) keepReading(t *testing.T, queueURL string) (end func() []sqstypes.Message) {
	t.Helper()
	var all []sqstypes.Message
	var reader sync.WaitGroup
	enough := make(chan struct{})
	reader.Go(func() {
		for {
			select {
			case <-enough:
				return
			default:
			}
			got, err := c.take(context.WithoutCancel(t.Context()), queueURL, 1)
			if err != nil {
				t.Errorf("read the queue: %v", err)
				return
			}
			all = append(all, got...)
		}
	})
	end = sync.OnceValue(func() []sqstypes.Message {
		close(enough)
		reader.Wait()
		return all
	})
	t.Cleanup(func() { end() })
	return end
}

// rest takes off a queue what is left in it.
func (c *cloud) rest(ctx context.Context, t *testing.T, queueURL string) []sqstypes.Message {
	t.Helper()
	var all []sqstypes.Message
	for {
		got, err := c.take(ctx, queueURL, 0)
		must(t, err)
		if len(got) == 0 {
			return all
		}
		all = append(all, got...)
	}
}

// take takes at most ten messages off a queue, and waits for the first as many seconds.
func (c *cloud) take(ctx context.Context, queueURL string, wait int32) ([]sqstypes.Message, error) {
	got, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &queueURL, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
		MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil || len(got.Messages) == 0 {
		return nil, err
	}
	var entries []sqstypes.DeleteMessageBatchRequestEntry
	for i := range got.Messages {
		entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: got.Messages[i].ReceiptHandle,
		})
	}
	_, err = c.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &queueURL, Entries: entries})
	return got.Messages, err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
