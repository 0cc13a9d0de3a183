package metrics

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const (
	// readyEvery is how long an answer is good for: however often somebody reads, the store is not asked more often.
	readyEvery = 5 * time.Second
	// readyTimeout is how long the store may take to answer, as for /health/ready. One that takes longer is not ready.
	readyTimeout = 2 * time.Second
)

// ObserveReady measures whether orders are being taken, which ask answers with nil. It is asked when somebody reads, at most once in
// 5 seconds, never twice at the same time, and not by a process that may be frozen or is stopping.
func (m *Metrics) ObserveReady(ask func(context.Context) error) {
	if m == nil || m.make == nil || m.frozen {
		return
	}
	m.ready = &ready{ask: ask}
	m.make.observeWith(func(ctx context.Context, o metric.Observer) error {
		if is, known := m.ready.look(ctx); known {
			m.make.int(o, serviceReady, is, attribute.NewSet())
		}
		return nil
	}, serviceReady)
}

// ready is the last answer to whether orders are being taken.
type ready struct {
	ask func(context.Context) error

	mu     sync.Mutex // one asks, the others wait for that
	at     time.Time
	is     int64
	closed bool
}

// look is 1 or 0. It asks unless the last answer is good. Who reads may leave meanwhile, which says nothing of the store.
func (r *ready) look(ctx context.Context) (is int64, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.at.IsZero() && time.Since(r.at) < readyEvery {
		return r.is, true
	}
	if r.closed {
		return 0, false
	}
	asking, done := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer done()
	r.is = 0
	if r.ask(asking) == nil {
		r.is = 1
	}
	r.at = time.Now()
	return r.is, true
}

// close has it ask no more: the last send is not to wait for a store that is away.
func (r *ready) close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}
