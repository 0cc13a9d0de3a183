package secrecy_test

import (
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"order-processing-service/test/secrecy"
)

// collector keeps what an OpenTelemetry collector is sent, unpacked, by path.
type collector struct {
	mu  sync.Mutex
	got map[string]*strings.Builder
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got[r.URL.Path] == nil {
		c.got[r.URL.Path] = new(strings.Builder)
	}
	if _, err := io.Copy(c.got[r.URL.Path], body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// sent is what came to a path.
func (c *collector) sent(path string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got[path] == nil {
		return ""
	}
	return c.got[path].String()
}

// TestTelemetryKeepsQuiet reads what a collector is sent of everything that a client may send, and what /metrics says: neither
// spans nor labels have anything of a customer, not even who calls.
func TestTelemetryKeepsQuiet(t *testing.T) {
	m, dir, c := new(secrecy.Markers), t.TempDir(), &collector{got: make(map[string]*strings.Builder)}
	server := httptest.NewServer(c)
	defer server.Close()
	who := newCallers(t, m, dir)
	settings := maps.Clone(who.settings)
	maps.Copy(settings, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_METRIC_EXPORT_INTERVAL": "100", "LOG_SUBJECT": "plain", "EVENTS": "simulated",
	})
	s := start(t, m, dir, settings)
	id := s.place(t, who.admin)
	s.plant(t, s.contract(t), who, map[string]string{"order_id": id, "subscriber": "events"})
	response, err := s.client.Get(s.admin(t) + "/metrics") //nolint:noctx // it ends with the test
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	scraped, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	for what, text := range map[string]string{
		"/metrics": string(scraped), "the metrics sent": c.sent("/v1/metrics"), "the spans sent": c.sent("/v1/traces"),
	} {
		if !strings.Contains(text, "/orders/{order_id}") {
			t.Errorf("%s have no route: what was looked at? %d bytes", what, len(text))
		}
		seen := m.Seen(text)
		for _, sighting := range seen[:min(len(seen), 10)] {
			t.Errorf("%s: %s", what, sighting.Place)
		}
	}
}
