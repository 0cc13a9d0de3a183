package metrics_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
)

// scrape reads what a Metrics shows.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	text, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d: %v", w.Code, err)
	}
	return string(text)
}

func shown(t *testing.T) *metrics.Metrics {
	t.Helper()
	m, err := metrics.New(t.Context(), metrics.Config{Scraped: true})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestWhatIsObservedComesLater has parts of the program come up while somebody reads already.
func TestWhatIsObservedComesLater(t *testing.T) {
	m := shown(t)
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			for range 20 {
				scrape(t, m)
			}
		})
	}
	m.ObserveConnections(func() (open, idle int) { return 6, 4 }, func() int { return 3 })
	m.ObserveAdmission(func() int { return 2 }, func() int { return 5 })
	m.ObserveQueue("sqlite", func() int { return 7 })
	m.ObserveCommands(func() receiving.Counts {
		return receiving.Counts{Applied: 2, DeadLettered: map[string]int{"payment_amount_wrong": 1}}
	})
	m.ObserveDeliveries(func() []delivery.Stats { return []delivery.Stats{{Subscriber: "events", Told: 5, Rests: true}} })
	reading.Wait()
	got := scrape(t, m)
	for _, want := range []string{
		`orders_http_connections{http_connection_state="active"} 2`, `orders_http_connections{http_connection_state="idle"} 4`,
		`orders_http_resting_connections 3`, `orders_admission_waiting 2`, `orders_admission_held 5`, `orders_store_queue_depth{db_system_name="sqlite"} 7`, `orders_commands_total{orders_outcome="applied"} 2`,
		`orders_commands_total{error_type="payment_amount_wrong",orders_outcome="dead_lettered"} 1`, `orders_delivery_subscriber_away{orders_subscriber="events"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

// TestRequests has requests come and go: each kind is counted from its first one on.
func TestRequests(t *testing.T) {
	m := shown(t)
	h := m.HTTP()
	var coming sync.WaitGroup
	for _, scheme := range []string{"http", "https"} {
		for range 8 {
			coming.Go(func() {
				for i := range 20 {
					h.Begun(http.MethodGet, scheme)
					if i > 0 || scheme == "http" {
						h.Ended(t.Context(), http.MethodGet, scheme, "/orders", http.StatusOK, time.Millisecond)
					}
				}
			})
		}
	}
	coming.Wait()
	h.Begun("_OTHER", "http")
	h.Ended(t.Context(), "_OTHER", "http", "", http.StatusServiceUnavailable, time.Millisecond)
	got := scrape(t, m)
	const duration = "http_server_request_duration_seconds_count"
	for _, want := range []string{
		`http_server_active_requests{http_request_method="GET",url_scheme="http"} 0`, `http_server_active_requests{http_request_method="GET",url_scheme="https"} 8`,
		`http_server_active_requests{http_request_method="_OTHER",url_scheme="http"} 0`,
		duration + `{http_request_method="GET",http_response_status_code="200",http_route="/orders",url_scheme="http"} 160`,
		duration + `{http_request_method="GET",http_response_status_code="200",http_route="/orders",url_scheme="https"} 152`,
		duration + `{error_type="503",http_request_method="_OTHER",http_response_status_code="503",url_scheme="http"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing of\n%s", want, got)
		}
	}
}

// TestBacklogIsReadSeldom counts how often the store is asked, and what is shown when it can't say.
func TestBacklogIsReadSeldom(t *testing.T) {
	m := shown(t)
	var log strings.Builder
	asked, now := 0, time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	rows, err := []delivery.Backlog{{Subscriber: "events", Waiting: 2, Parked: 1, Oldest: now.Add(-time.Minute)}}, error(nil)
	m.ObserveBacklog(metrics.Backlogs{
		Now: func() time.Time { return now }, Log: slog.New(slog.NewJSONHandler(&log, nil)),
		Read: func(context.Context) ([]delivery.Backlog, error) { asked++; return rows, err },
	})
	for range 3 {
		got := scrape(t, m)
		for _, want := range []string{"orders_delivery_waiting", "orders_delivery_parked", "orders_delivery_oldest_age_seconds"} {
			if !strings.Contains(got, want+`{orders_subscriber="events"} `) {
				t.Errorf("%s is missing", want)
			}
		}
		if !strings.Contains(got, `orders_delivery_oldest_age_seconds{orders_subscriber="events"} 60`) {
			t.Error("the oldest is not a minute old")
		}
	}
	if asked != 1 {
		t.Errorf("the store was asked %d times", asked)
	}
}

func TestABacklogThatCantBeRead(t *testing.T) {
	m := shown(t)
	var log strings.Builder
	away := fault.New(fault.Unavailable, "store_unavailable", "the store is away")
	m.ObserveBacklog(metrics.Backlogs{
		Now: time.Now, Log: slog.New(slog.NewJSONHandler(&log, nil)),
		Read: func(context.Context) ([]delivery.Backlog, error) { return nil, away },
	})
	for range 3 {
		if strings.Contains(scrape(t, m), "orders_delivery_waiting") {
			t.Error("what nobody knows has a value")
		}
	}
	if n := strings.Count(log.String(), "can't be counted"); n != 1 {
		t.Errorf("the log says %d times: %s", n, log.String())
	}
}

// TestNobodyReads has a program that measures for nobody.
func TestNobodyReads(t *testing.T) {
	none, err := metrics.New(t.Context(), metrics.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*metrics.Metrics{nil, none} {
		if m.HTTP() != nil || m.Orders() != nil || m.Handler() != nil || m.Writes(t.Context(), "sqlite") != nil || m.Store("sqlite", nil) != nil {
			t.Error("something is measured for nobody")
		}
		m.ObserveConnections(nil, nil)
		m.ObserveAdmission(nil, nil)
		m.ObserveBacklog(metrics.Backlogs{})
		m.ReadBacklog(t.Context())
		m.Flush(t.Context())
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
