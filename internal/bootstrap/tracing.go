package bootstrap

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"os"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/aws"
	"order-processing-service/internal/infrastructure/telemetry"
	"order-processing-service/internal/infrastructure/telemetry/otlp"
	"order-processing-service/internal/infrastructure/telemetry/tracing"
)

// The propagators that OTEL_PROPAGATORS may name and that are read.
const (
	propagatorW3C  = "tracecontext"
	propagatorXRay = "xray"
)

// newLogger writes log lines to out.
func newLogger(c *config.Config, out io.Writer) *slog.Logger {
	return telemetry.NewLogger(out, c.LogLevel, ServiceName, Build().Version)
}

// openTracer makes what records spans; nil if they are not wanted.
func openTracer(ctx context.Context, c *config.Config, log *slog.Logger, inLambda bool) (*tracing.Tracer, error) {
	if !c.ExportsTraces() {
		return nil, nil //nolint:nilnil // a nil Tracer records nothing
	}
	attributes := c.ResourceAttributes()
	if inLambda {
		maps.Copy(attributes, functionAttributes())
	}
	who, err := otlp.Resource(ctx, otlp.Service{Name: ServiceName, Version: Build().Version, Attributes: attributes})
	if err != nil {
		return nil, err
	}
	to, err := collector(c)
	if err != nil {
		return nil, err
	}
	return tracing.Open(ctx, tracing.Config{
		Target: to, Resource: who, Sampler: c.OTelSampler, Ratio: c.SamplerRatio(), XRay: c.Propagates(propagatorXRay), Log: log,
	})
}

// functionAttributes are what AWS Lambda says of the function in its environment.
func functionAttributes() map[string]string {
	all := map[string]string{"cloud.provider": "aws", "cloud.platform": "aws_lambda"}
	for attribute, variable := range map[string]string{
		"cloud.region": "AWS_REGION", "faas.name": "AWS_LAMBDA_FUNCTION_NAME", "faas.version": "AWS_LAMBDA_FUNCTION_VERSION",
		"faas.instance": "AWS_LAMBDA_LOG_STREAM_NAME",
	} {
		if value := os.Getenv(variable); value != "" {
			all[attribute] = value
		}
	}
	return all
}

// awsAccount is the settings of AWS whose calls are recorded.
func awsAccount(ctx context.Context, log *slog.Logger, tracer *tracing.Tracer) (awssdk.Config, error) {
	c, err := aws.Load(ctx, ServiceName, log)
	if err != nil {
		return awssdk.Config{}, err
	}
	c.APIOptions = append(c.APIOptions, tracer.AWS()...)
	return c, nil
}
