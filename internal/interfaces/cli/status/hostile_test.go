package status_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"order-processing-service/internal/interfaces/cli/status"
)

// serving answers /health and /health/ready with a body, and /metrics with a text.
func serving(t *testing.T, health string, metrics func(look int) string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(health)) })
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(health)) })
	var looks atomic.Int64
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(metrics(int(looks.Add(1) - 1)))) // counted before the client can look again
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// reportOf looks twice, a second apart.
func reportOf(t *testing.T, url string) *status.Report {
	t.Helper()
	now := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	s, err := status.NewService(url, 10*time.Second, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	earlier, err := s.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	later, err := s.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Report(earlier, later)
}

// wantTame shows a report: on one screen, with nothing for the terminal to carry out, and as JSON.
func wantTame(t *testing.T, r *status.Report) string {
	t.Helper()
	var b strings.Builder
	if err := new(status.Screen).Show(&b, r); err != nil {
		t.Error(err)
	}
	text := b.String()
	if lines := strings.Count(text, "\n"); lines > 40 {
		t.Errorf("%d lines are no screen", lines)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := len([]rune(line)); n > 80 {
			t.Errorf("%d characters: %q", n, line)
		}
		if strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("a control character: %q", line)
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("not JSON: %v", err)
	}
	return text
}

// TestHostileAnswers are what nobody would expect of the service.
func TestHostileAnswers(t *testing.T) {
	always := func(text string) func(int) string { return func(int) string { return text } }
	const ok = `{"version":"1.2.3"}`
	many := func(n int, line func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i) + "\n")
		}
		return b.String()
	}
	subscriber := func(i int) string { return `orders_delivery_waiting{orders_subscriber="s` + strconv.Itoa(i) + `"} 1` }
	tests := map[string]struct {
		health  string
		metrics func(look int) string
		want    string // on the screen
	}{
		"nothing":          {"", always(""), "METRICS"},
		"no text format":   {ok, always("<html>\n<b>hello</b>"), "can't be read"},
		"too much":         {ok, always("# " + strings.Repeat("x", 9<<20)), "larger than 8192 KiB"},
		"too many series":  {ok, always(many(20_000, subscriber)), "has more than 10000 series"},
		"many subscribers": {ok, always(many(5_000, subscriber)), "... and 88 more"},
		"a huge version":   {`{"version":"` + strings.Repeat("v", 60_000) + `"}`, always("up 1\n"), "READY"},
		"commands to the terminal": {
			`{"version":"\u001b[2J\u0007"}`,
			always("orders_delivery_waiting{orders_subscriber=\"\x1b]0;owned\x07\u202e\"} 1\norders_moved_total{orders_status=\"\x1b[31m\"} 1\n"), "]0;owned",
		},
		"no numbers": {
			ok, always("orders_placed_total NaN\norders_moved_total{orders_status=\"paid\"} +Inf\nprocess_resident_memory_bytes -Inf\ngo_goroutine_count 1\n"),
			"goroutines 1",
		},
		"numbers beyond all": {
			ok, always("go_memory_used_bytes 1e308\nprocess_resident_memory_bytes -5\ngo_goroutine_count 9e300\nprocess_start_time_seconds -1e300\n" +
				"orders_delivery_oldest_age_seconds{orders_subscriber=\"s\"} 1e300\n"), "years",
		},
		"a start to come": {ok, always("process_start_time_seconds 9e12\n"), "READY"},
		"counters that go back": {ok, func(look int) string {
			return `orders_delivery_told_total{orders_subscriber="s"} ` + strconv.Itoa(100-70*look) + "\n"
		}, " 30 "},
		"a family that is another kind": {ok, always(`# TYPE http_server_request_duration_seconds gauge
http_server_request_duration_seconds 5
# TYPE orders_placed_total summary
orders_placed_total{quantile="0.5"} 3
`), "REQUESTS"},
		"a histogram out of order": {ok, func(look int) string {
			return `# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{le="NaN"} 5
http_server_request_duration_seconds_bucket{le="+Inf"} ` + strconv.Itoa(7*look) + `
http_server_request_duration_seconds_bucket{le="1"} 9
http_server_request_duration_seconds_bucket{le="-1"} 3
http_server_request_duration_seconds_count ` + strconv.Itoa(10-look) + `
`
		}, "REQUESTS"},
		"a histogram without buckets": {ok, always("# TYPE http_server_request_duration_seconds histogram\nhttp_server_request_duration_seconds_count 5\n"), "p99 -"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := wantTame(t, reportOf(t, serving(t, tt.health, tt.metrics).URL))
			if flat := " " + strings.Join(strings.Fields(text), " "); !strings.Contains(flat, tt.want) {
				t.Errorf("there is no %q in\n%s", tt.want, text)
			}
		})
	}
}

// FuzzReport has two texts told one after the other.
func FuzzReport(f *testing.F) {
	f.Add("orders_placed_total 1\n", "orders_placed_total 2\n")
	f.Add("up 1\n", "# TYPE http_server_request_duration_seconds histogram\nhttp_server_request_duration_seconds_bucket{le=\"1\"} 9\n")
	f.Add("orders_delivery_waiting{orders_subscriber=\"a\"} NaN\n", "orders_delivery_waiting{orders_subscriber=\"a\"} 1e99\n")
	f.Fuzz(func(t *testing.T, first, second string) {
		if r, err := status.ReportOf(first, second); err == nil {
			wantTame(t, r)
		}
	})
}
