package metrics_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/infrastructure/telemetry/metrics"
	"order-processing-service/internal/infrastructure/telemetry/otlp"
)

// An answer is good for 5 seconds, and is the same as /health/ready would give: a store that takes longer than two is not ready.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := shown(t)
		var away, slow atomic.Bool
		var asked atomic.Int64
		m.ObserveReady(func(ctx context.Context) error {
			asked.Add(1)
			if slow.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			if away.Load() {
				return errors.New("away")
			}
			return nil
		})
		is := func(want string) {
			t.Helper()
			if text := scrape(t, m); !strings.Contains(text, "\norders_ready "+want+"\n") {
				t.Errorf("it is not %s:\n%s", want, text)
			}
		}
		is("1")
		away.Store(true)
		time.Sleep(5*time.Second - time.Nanosecond)
		is("1")
		time.Sleep(time.Nanosecond)
		is("0")
		away.Store(false)
		slow.Store(true)
		time.Sleep(5 * time.Second)
		begun := time.Now()
		is("0")
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("a store that does not answer is asked for %v", took)
		}
		if asked.Load() != 3 {
			t.Errorf("it was asked %d times", asked.Load())
		}
		time.Sleep(5 * time.Second)
		slow.Store(false)
		is("1")
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// However many read at the same time, the store is asked once, and for all of them.
func TestReadyIsAskedOnceAtATime(t *testing.T) {
	m := shown(t)
	var asked atomic.Int64
	begun, answer := make(chan struct{}), make(chan struct{})
	m.ObserveReady(func(context.Context) error {
		if asked.Add(1) == 1 {
			close(begun)
		}
		<-answer
		return nil
	})
	var reading sync.WaitGroup
	reading.Go(func() { scrape(t, m) })
	<-begun
	for range 2 {
		reading.Go(func() { scrape(t, m) })
	}
	close(answer)
	reading.Wait()
	if text := scrape(t, m); asked.Load() != 1 || !strings.Contains(text, "\norders_ready 1\n") {
		t.Errorf("it was asked %d times, for\n%s", asked.Load(), text)
	}
}

// A process that may be frozen is not asked, nor one that stops.
func TestReadyIsNotAsked(t *testing.T) {
	never := func(context.Context) error {
		t.Error("it was asked")
		return nil
	}
	frozen, err := metrics.New(t.Context(), metrics.Config{Scraped: true, Frozen: true})
	if err != nil {
		t.Fatal(err)
	}
	frozen.ObserveReady(never)
	if text := scrape(t, frozen); strings.Contains(text, "orders_ready") {
		t.Errorf("a function says\n%s", text)
	}
	stopping, err := metrics.New(t.Context(), metrics.Config{Push: &otlp.Target{Endpoint: "http://127.0.0.1:1"}, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	stopping.ObserveReady(never)
	if err := stopping.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
