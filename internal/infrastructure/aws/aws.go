// Package aws holds what the packages below it share, one for each service of AWS that is spoken to: the settings of the
// SDK, what its errors mean for an order, and how events are put into calls.
//
// Region, credentials, endpoint (AWS_ENDPOINT_URL) and whatever else the SDK reads from the environment and from its
// files come from there alone.
package aws

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"order-processing-service/internal/domain/fault"
)

// What one call may take before the SDK tries it again. The dispatcher, which knows which orders a call was for, goes on
// trying when the SDK has given up.
const (
	maxAttempts    = 3
	maxBackoff     = time.Second
	connectTimeout = 2 * time.Second
	answerTimeout  = 10 * time.Second
)

// Load returns the SDK's settings as they are in the environment. It asks nobody. What the SDK has to say of itself goes to
// log. The error is for the operator.
func Load(ctx context.Context, appID string, log *slog.Logger) (aws.Config, error) {
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answerTimeout
			t.MaxIdleConnsPerHost = 64 // as many as workers may use, so that none is opened anew for each call
		})
	c, err := config.LoadDefaultConfig(ctx,
		config.WithAppID(appID),
		config.WithHTTPClient(client),
		config.WithLogger(logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) {
			log.DebugContext(context.WithoutCancel(ctx), "AWS SDK", "detail", fmt.Sprintf(format, v...))
		})),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff = maxAttempts, maxBackoff
				o.RateLimiter = unlimited{}
			})
		}))
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS settings: %w", err)
	}
	if c.Region == "" {
		return aws.Config{}, fault.New(fault.Invalid, "aws_region_missing",
			"AWS is asked for, but no region is known; set AWS_REGION, or a region in the AWS profile")
	}
	c.Credentials = credentials{c.Credentials}
	return c, nil
}

// credentials says in plain words that there are none.
type credentials struct{ of aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (c credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.of.Retrieve(ctx)
	if err != nil {
		err = fault.Wrap(err, fault.Unavailable, "aws_credentials_missing",
			"no AWS credentials are found; give the process a role, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return found, err
}

// unlimited lets every call be tried again: when AWS is away, the dispatcher rests by itself.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}

func (unlimited) AddTokens(uint) error { return nil }
