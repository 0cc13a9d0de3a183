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
	m.ObserveConnections(func() (open, idle int) { return 3, 1 })
	m.ObserveAdmission(func() int { return 2 })
	m.ObserveQueue("sqlite", func() int { return 7 })
	m.ObserveCommands(func() receiving.Counts {
		return receiving.Counts{Applied: 2, DeadLettered: map[string]int{"payment_amount_wrong": 1}}
	})
	m.ObserveDeliveries(func() []delivery.Stats { return []delivery.Stats{{Subscriber: "events", Told: 5, Rests: true}} })
	reading.Wait()
	got := scrape(t, m)
	for _, want := range []string{
		`orders_http_connections{state="idle"} 1`, `orders_store_queue_depth{db_system_name="sqlite"} 7`, `orders_commands_total{outcome="applied"} 2`,
		`orders_commands_total{outcome="dead_lettered",reason="payment_amount_wrong"} 1`, `orders_delivery_subscriber_away{subscriber="events"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("%s is missing", want)
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
			if !strings.Contains(got, want+`{subscriber="events"} `) {
				t.Errorf("%s is missing", want)
			}
		}
		if !strings.Contains(got, `orders_delivery_oldest_age_seconds{subscriber="events"} 60`) {
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
		m.ObserveConnections(nil)
		m.ObserveAdmission(nil)
		m.ObserveBacklog(metrics.Backlogs{})
		m.ReadBacklog(t.Context())
		m.Flush(t.Context())
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
