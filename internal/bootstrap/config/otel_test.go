package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/bootstrap/config"
)

func TestTelemetryIsDescribed(t *testing.T) {
	c, err := config.Load(config.Source{Environ: []string{
		"OTEL_SERVICE_NAME=orders-eu", "OTEL_RESOURCE_ATTRIBUTES=service.name=other, deployment.environment.name=a%2Cb",
		"OTEL_EXPORTER_OTLP_ENDPOINT=https://collector:4318/base", "OTEL_EXPORTER_OTLP_HEADERS=api-key=s3cret%3D,x=1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"service.name": "orders-eu", "deployment.environment.name": "a,b"}, c.ResourceAttributes()); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"api-key": "s3cret=", "x": "1"}, c.OTLPHeaders()); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if !c.PushesMetrics() {
		t.Error("nothing is sent though there is a collector")
	}
}

func TestTelemetryIsOffByDefault(t *testing.T) {
	c, err := config.Load(config.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if c.PushesMetrics() || len(c.ResourceAttributes()) != 0 || c.OTLPHeaders() != nil {
		t.Error("something is sent that nobody asked for")
	}
}

func TestTelemetrySettingsThatAreWrong(t *testing.T) {
	for _, wrong := range []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT=http://user:hunter2@collector:4318",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector?x=1", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
		"OTEL_EXPORTER_OTLP_HEADERS=hunter2", "OTEL_EXPORTER_OTLP_HEADERS=a b=hunter2", "OTEL_EXPORTER_OTLP_HEADERS=a=%0Ahunter2",
		"OTEL_RESOURCE_ATTRIBUTES==x", "OTEL_RESOURCE_ATTRIBUTES=a=" + strings.Repeat("x", 5_000), "OTEL_RESOURCE_ATTRIBUTES=" + strings.Repeat("a=b,", 101) + "a=b",
		"OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem", "OTEL_METRIC_EXPORT_INTERVAL=1s", "METRICS_EMF=on", "METRICS_EMF_NAMESPACE=AWS/Lambda",
	} {
		name, _, _ := strings.Cut(wrong, "=")
		_, err := config.Load(config.Source{Environ: []string{wrong}})
		if err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%.60s: %v", wrong, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
}
