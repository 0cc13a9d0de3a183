package traces_test

import (
	"os"
	"path/filepath"
	"testing"

	"order-processing-service/test/authority"
	"order-processing-service/test/collector"
)

// Spans go by gRPC and TLS to a collector whose certificate is of an authority of one's own, and to no other.
func TestGRPC(t *testing.T) {
	trusted, stranger := authority.New(t), authority.New(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, trusted.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*authority.Authority{"trusted": trusted, "not trusted": stranger} {
		c := collector.StartGRPC(t, a.Server(t).TLS(t))
		p := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_CERTIFICATE="+file,
			"OTEL_EXPORTER_OTLP_HEADERS=api-key=s3cret")
		place(t, p)
		p.Stop()
		if got := len(c.Named("POST /orders")) == 1 && c.Header("Api-Key") == "s3cret"; got != (a == trusted) {
			t.Errorf("%s: the collector has %+v, with the key %q", name, c.Spans(), c.Header("Api-Key"))
		}
	}
}
