package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"order-processing-service/internal/application/delivery"
)

const (
	// backlogEvery is how long a look at the backlog is good for: however often somebody reads, the store is not asked more often.
	backlogEvery = 10 * time.Second
	// backlogTimeout is how long a look may take.
	backlogTimeout = 3 * time.Second
)

// Backlogs is what subscribers have yet to be told, as the store has it.
type Backlogs struct {
	// Read asks the store.
	Read func(context.Context) ([]delivery.Backlog, error)
	// Now is the clock by which events are dated.
	Now func() time.Time
	// Log is told once that it can't be read, and once that it can again.
	Log *slog.Logger
}

// ObserveBacklog measures what subscribers have yet to be told. The store is asked when somebody reads, at most once in 10
// seconds and never on behalf of a request; in a process that may be frozen only by ReadBacklog. What can't be read has no value.
func (m *Metrics) ObserveBacklog(b Backlogs) {
	if m == nil || m.make == nil {
		return
	}
	m.backlog = &backlog{Backlogs: b}
	m.make.observeWith(func(ctx context.Context, o metric.Observer) error {
		if !m.frozen {
			m.backlog.look(ctx)
		}
		for _, row := range m.backlog.fresh() {
			set := one(attrSubscriber, row.Subscriber)
			age := 0.0
			if !row.Oldest.IsZero() {
				age = max(0, b.Now().Sub(row.Oldest).Seconds())
			}
			m.make.int(o, deliveryWaiting, int64(row.Waiting), set)
			m.make.int(o, deliveryParked, int64(row.Parked), set)
			m.make.float(o, deliveryOldest, age, set)
		}
		return nil
	}, deliveryWaiting, deliveryParked, deliveryOldest)
}

// ReadBacklog asks the store for the backlog, unless it was asked a moment ago, and has it measured for a moment.
func (m *Metrics) ReadBacklog(ctx context.Context) {
	if m != nil && m.backlog != nil {
		m.backlog.look(ctx)
	}
}

// backlog is the last look at what subscribers have yet to be told.
type backlog struct {
	Backlogs

	mu      sync.Mutex // one looks, the others wait for that
	rows    []delivery.Backlog
	at      time.Time
	failing bool
}

// look asks the store unless the last look is good.
func (b *backlog) look(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.at.IsZero() && time.Since(b.at) < backlogEvery {
		return
	}
	reading, done := context.WithTimeout(ctx, backlogTimeout)
	defer done()
	rows, err := b.Read(reading)
	b.rows, b.at = rows, time.Now() // a store that is away is not asked again at once either
	switch {
	case err != nil && !b.failing:
		b.Log.WarnContext(ctx, "what subscribers have yet to be told can't be counted; trying on", "error", err)
	case err == nil && b.failing:
		b.Log.InfoContext(ctx, "what subscribers have yet to be told is counted again")
	}
	if b.failing = err != nil; b.failing {
		b.rows = nil
	}
}

// fresh is the last look, if it is good.
func (b *backlog) fresh() []delivery.Backlog {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() || time.Since(b.at) >= backlogEvery {
		return nil
	}
	return b.rows
}
