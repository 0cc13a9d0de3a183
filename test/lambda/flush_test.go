//go:build unix

package lambda_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"order-processing-service/test/lambda"
)

// TestFlushes has a collector that answers neither metrics nor spans until both have come. They are sent at the same time, so that one
// that is slow to take the former still gets the latter before the answer.
func TestFlushes(t *testing.T) {
	inTime(t, func() string {
		if n := flushed(t); n != 2 {
			return fmt.Sprintf("before the answer %d of metrics and spans were taken", n)
		}
		return ""
	})
}

// flushed is how many of metrics and spans such a collector has taken before the answer.
func flushed(t *testing.T) int64 {
	t.Helper()
	metrics, spans := make(chan struct{}), make(chan struct{})
	var both atomic.Int64
	meet := func(mine, other chan struct{}) http.HandlerFunc {
		var first atomic.Bool
		return func(_ http.ResponseWriter, r *http.Request) {
			if first.CompareAndSwap(false, true) {
				close(mine)
			}
			_, _ = io.Copy(io.Discard, r.Body) // only then it is noticed that the sender has gone
			select {
			case <-other:
				both.Add(1)
			case <-r.Context().Done(): // who sent it has given up
			}
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/metrics", meet(metrics, spans))
	mux.HandleFunc("POST /v1/traces", meet(spans, metrics))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	r := lambda.NewRuntime(t)
	lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir(), Settings: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL}})
	placed(t, r.Invoke(t, post(t, "POST", "/orders", `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":2.5}]}`)))
	return both.Load()
}
