package sqs

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/domain/fault"
	ours "order-processing-service/internal/infrastructure/aws"
)

// redrivePolicy says what a queue does with messages that are received again and again.
type redrivePolicy struct {
	url         string // of the dead-letter queue
	maxReceives int
}

var errNoDeadLetters = fault.New(fault.Unavailable, "dead_letter_queue_unknown", "no dead-letter queue is known")

// commandsAt is the queue of commands as the target of a call.
func commandsAt(queueURL, action string) ours.Target {
	return ours.Target{
		Name: fmt.Sprintf("SQS queue %q", queueURL), Setting: "COMMANDS_QUEUE_URL", Action: action, AboutMessage: aboutMessage(),
	}
}

// redrivePolicyOf asks a queue for its redrive policy. The error is a fault of kind Unavailable that says what to do, also
// if there is none.
func redrivePolicyOf(ctx context.Context, client *sqs.Client, queueURL string) (redrivePolicy, error) {
	answer, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &queueURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameRedrivePolicy},
	})
	if err != nil {
		return redrivePolicy{}, commandsAt(queueURL, "sqs:GetQueueAttributes").Fault(err)
	}
	var policy struct {
		Target string         `json:"deadLetterTargetArn"`
		Max    jsontext.Value `json:"maxReceiveCount"` // a number, or a string of one
	}
	text := answer.Attributes[string(types.QueueAttributeNameRedrivePolicy)]
	if text != "" {
		if err := json.Unmarshal([]byte(text), &policy, json.RejectUnknownMembers(false)); err != nil {
			return redrivePolicy{}, fmt.Errorf("read the redrive policy of %s: %w", queueURL, err)
		}
	}
	if policy.Target == "" {
		return redrivePolicy{}, fault.New(errNoDeadLetters.Kind, errNoDeadLetters.Code,
			"no dead-letter queue is known: set COMMANDS_DEAD_LETTER_QUEUE_URL, or give the queue "+queueURL+" a redrive policy")
	}
	receives, _ := strconv.Atoi(strings.Trim(string(policy.Max), `"`))
	beside, err := besideQueue(queueURL, policy.Target[strings.LastIndexByte(policy.Target, ':')+1:])
	return redrivePolicy{url: beside, maxReceives: receives}, err
}

// besideQueue is the URL of another queue of the same account and region, which a dead-letter queue always is.
func besideQueue(queueURL, name string) (string, error) {
	u, err := url.Parse(queueURL)
	if err != nil {
		return "", fmt.Errorf("the URL of the queue: %w", err)
	}
	u.Path = path.Join(path.Dir(u.Path), name)
	return u.String(), nil
}
