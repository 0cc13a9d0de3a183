package traces_test

import (
	"net"
	"testing"
	"time"

	"order-processing-service/test/collector"
)

// A collector that is away, that refuses or that never answers slows no request down, is told of once, and does not keep the program
// from stopping.
func TestCollectorIsAway(t *testing.T) {
	t.Parallel()
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() }) // what connects is never answered
	refusing := collector.Start(t)
	refusing.Refuse(true)
	for name, endpoint := range map[string]string{
		"nobody listens": "http://127.0.0.1:1", "nobody answers": "http://" + silent.Addr().String(), "refused": refusing.URL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint, "OTEL_METRICS_EXPORTER=none")
			for range 20 {
				begun := time.Now()
				place(t, p)
				if took := time.Since(begun); took > 4*time.Second { // one that waits for an export takes 5
					t.Errorf("an order takes %v", took)
				}
			}
			begun := time.Now()
			p.Stop()
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("the stop takes %v", took)
			}
			told := lines(t, p, "Traces can't be exported and are dropped; check OTEL_EXPORTER_OTLP_ENDPOINT and the collector")
			if len(told) != 1 || told[0].Level != "WARNING" {
				t.Errorf("the log tells of it %d times: %+v", len(told), told)
			}
		})
	}
}

// With an exporter of none, nothing is recorded although there is a collector.
func TestNoExporter(t *testing.T) {
	c := collector.Start(t)
	p := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none")
	place(t, p)
	p.Stop()
	if c.Calls() > 0 || len(c.Spans()) > 0 {
		t.Errorf("the collector was called %d times", c.Calls())
	}
}
