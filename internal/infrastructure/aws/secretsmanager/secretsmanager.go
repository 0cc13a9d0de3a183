// Package secretsmanager reads secrets from AWS Secrets Manager. What a secret says is in no error and in no log line of it.
package secretsmanager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"order-processing-service/internal/domain/fault"
	ours "order-processing-service/internal/infrastructure/aws"
)

// Config says where secrets are. AWS is needed.
type Config struct {
	AWS aws.Config
	// Within bounds reading, with everything that is tried again; 0 means 8 seconds, which leaves a function of AWS Lambda,
	// whose start may take ten, the time to say what is wrong.
	Within time.Duration
}

// Reader reads secrets. It is safe for concurrent use.
type Reader struct {
	client *secretsmanager.Client
	within time.Duration
}

const (
	defaultWithin = 8 * time.Second
	// maxSecret is the most that Secrets Manager keeps as one secret, in bytes.
	maxSecret = 64 << 10
	// The pause before a further try doubles from the first to the longest.
	firstPause, longestPause = 100 * time.Millisecond, 2 * time.Second
)

// New returns a reader. It asks nobody yet.
func New(c Config) *Reader {
	return &Reader{client: secretsmanager.NewFromConfig(c.AWS), within: cmp.Or(c.Within, defaultWithin)}
}

// Read reads the current versions of secrets, named by their names or ARNs, at the same time. The texts are in the order of
// the ids. A Secrets Manager that is away is asked again for as long as Within allows; what waiting can't mend is an error
// at once. The error has a line for each secret that can't be read, which says what to do.
func (r *Reader) Read(ctx context.Context, ids []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, r.within)
	defer cancel()
	texts, errs := make([]string, len(ids)), make([]error, len(ids))
	var reads errgroup.Group
	for i, id := range ids {
		reads.Go(func() error {
			texts[i], errs[i] = r.untilThere(ctx, id)
			return nil
		})
	}
	_ = reads.Wait() // each has its own error
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return texts, nil
}

// untilThere reads a secret, again and again while AWS is away.
func (r *Reader) untilThere(ctx context.Context, id string) (string, error) {
	pause := firstPause
	var last error // of a try that was not cut short
	for {
		text, err := r.read(ctx, id)
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if err == nil || !mayPass(err) {
			return text, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", last
		}
		pause = min(2*pause, longestPause)
	}
}

// mayPass reports whether the same call may do better later.
func mayPass(err error) bool {
	return slices.Contains([]string{"aws_unreachable", "aws_throttled", "aws_failed"}, fault.Of(err).Code)
}

func (r *Reader) read(ctx context.Context, id string) (string, error) {
	answer, err := r.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id}, inRegionOf(id))
	switch {
	case err != nil:
		return "", faultOf(id, err)
	case answer.SecretString == nil:
		return "", refused(id, "holds bytes (SecretBinary); keep it as text (SecretString)")
	case len(*answer.SecretString) > maxSecret:
		return "", refused(id, fmt.Sprintf("is larger than %d bytes; keep only settings in it", maxSecret))
	case strings.TrimSpace(*answer.SecretString) == "":
		return "", refused(id, "is empty; put a value into it")
	default:
		return *answer.SecretString, nil
	}
}

// inRegionOf has a secret read where its ARN says that it is.
func inRegionOf(id string) func(*secretsmanager.Options) {
	return func(o *secretsmanager.Options) {
		if name, err := arn.Parse(id); err == nil && name.Region != "" {
			o.Region = name.Region
		}
	}
}

func refused(id, reason string) error {
	return fault.New(fault.Invalid, "secret_unusable", fmt.Sprintf("secret %q %s", id, reason))
}

// faultOf says what an error means for the secret, and what to do.
func faultOf(id string, err error) error {
	api, isAnswer := errors.AsType[smithy.APIError](err)
	name := fmt.Sprintf("secret %q", id)
	switch {
	case isAnswer && api.ErrorCode() == "InvalidRequestException":
		return fault.Wrap(err, fault.Unavailable, "secret_unusable",
			name+" has no value that can be read, or is to be deleted; give it one, or restore it (aws secretsmanager restore-secret)")
	case isAnswer && (api.ErrorCode() == "DecryptionFailure" || api.ErrorCode() == "AccessDeniedException" && strings.Contains(api.ErrorMessage(), "KMS")):
		return fault.Wrap(err, fault.Unavailable, "aws_access_denied",
			name+" can't be decrypted; allow kms:Decrypt on its key to the credentials in use, and look whether the key is enabled")
	case isAnswer && (api.ErrorCode() == "ValidationException" || api.ErrorCode() == "InvalidParameterException"):
		return fault.Wrap(err, fault.Invalid, "secret_unusable", name+" is no name or ARN of a secret; correct it in MONGO_SECRET_ID or SECRETS_ID")
	default:
		return ours.Target{Name: name, Setting: "MONGO_SECRET_ID or SECRETS_ID, or AWS_REGION", Action: "secretsmanager:GetSecretValue"}.Fault(err)
	}
}
