package aws_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/aws"
)

// nowhere leaves the SDK nothing to find its settings in.
func nowhere(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

func TestLoadNeedsARegion(t *testing.T) {
	nowhere(t)
	if _, err := aws.Load(t.Context(), "orders", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("Load: %v", err)
	}
}

// Without credentials a call fails with words that say what to give, and what is to be told waits.
func TestNoCredentials(t *testing.T) {
	nowhere(t)
	t.Setenv("AWS_REGION", "eu-west-1")
	c, err := aws.Load(t.Context(), "orders", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Credentials.Retrieve(t.Context())
	err = aws.Target{Name: "the bus"}.Fault(err)
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Errorf("Fault: %v", err)
	}
}

func TestFaultOfACallThatWasGivenUp(t *testing.T) {
	if err := (aws.Target{}).Fault(context.Canceled); !errors.Is(err, context.Canceled) || fault.KindOf(err) == fault.Unavailable {
		t.Errorf("Fault: %v", err)
	}
	if err := (aws.Target{}).Fault(context.DeadlineExceeded); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Fault: %v", err)
	}
}

func TestTraceHeader(t *testing.T) {
	for traceparent, want := range map[string]string{
		"": "", "00-x": "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=0",
	} {
		if got := aws.TraceHeader(traceparent); got != want {
			t.Errorf("TraceHeader(%q) = %q, want %q", traceparent, got, want)
		}
	}
}
