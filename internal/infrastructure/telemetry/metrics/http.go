package metrics

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// HTTP measures requests. It is safe for concurrent use. What there is of a kind of request is made once: a request finds its own by a
// key, without an allocation. The number of keys is bounded by what the API tells apart; nothing in them is a client's own text.
type HTTP struct {
	duration metric.Float64Histogram
	refused  metric.Int64Counter

	mu      sync.Mutex // for writing active and known
	active  atomic.Pointer[map[activeKey]*active]
	known   atomic.Pointer[map[requestKey][]metric.RecordOption]
	reasons map[string][]metric.AddOption // never changed
}

// activeKey is what requests that are being answered are told apart by.
type activeKey struct{ method, scheme string }

// active is how many there are.
type active struct {
	count atomic.Int64
	set   attribute.Set
}

// requestKey is what requests whose answer has ended are told apart by.
type requestKey struct {
	method, scheme, route string
	status                int
}

func newHTTP(ctx context.Context, m *maker) *HTTP {
	h := &HTTP{
		duration: m.histogram(httpDuration), refused: m.counter(admissionRefused), reasons: make(map[string][]metric.AddOption),
	}
	for _, reason := range []string{"queue_full", "queue_timeout", "body_bytes", "rate_limit"} {
		h.reasons[reason] = []metric.AddOption{metric.WithAttributeSet(one(attrReason, reason))}
		h.refused.Add(ctx, 0, h.reasons[reason]...) // what there is none of yet is seen as 0
	}
	h.active.Store(&map[activeKey]*active{})
	h.known.Store(&map[requestKey][]metric.RecordOption{})
	m.observe(func(o metric.Observer) {
		for _, a := range *h.active.Load() {
			m.int(o, httpActive, a.count.Load(), a.set)
		}
	}, httpActive)
	return h
}

// HTTP returns the meter of requests, which implements the port of the API; nil when nobody reads.
func (m *Metrics) HTTP() *HTTP {
	if m == nil {
		return nil
	}
	return m.http
}

// Begun counts a request that begins to be answered, by its method and scheme, which are not the client's own text.
func (h *HTTP) Begun(method, scheme string) { h.activeOf(activeKey{method, scheme}).count.Add(1) }

// Ended counts a request that had Begun with the same method and scheme, and whose answer has ended. The route is the template of its
// path, "" for a path that is not served; the status is 0 when the client was cut off before there was one.
func (h *HTTP) Ended(ctx context.Context, method, scheme, route string, status int, took time.Duration) {
	h.activeOf(activeKey{method, scheme}).count.Add(-1)
	k := requestKey{method, scheme, route, status}
	options, ok := (*h.known.Load())[k]
	if !ok {
		options = h.learn(k)
	}
	h.duration.Record(ctx, took.Seconds(), options...)
}

// activeOf is the count of a kind of request, which is made when the first one comes.
func (h *HTTP) activeOf(k activeKey) *active {
	if a, ok := (*h.active.Load())[k]; ok {
		return a
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	before := *h.active.Load()
	if a, ok := before[k]; ok { // another one was first
		return a
	}
	a := &active{set: attribute.NewSet(attribute.String(attrMethod, k.method), attribute.String(attrScheme, k.scheme))}
	after := maps.Clone(before)
	after[k] = a
	h.active.Store(&after)
	return a
}

// learn makes the attributes of a kind of request that comes for the first time.
func (h *HTTP) learn(k requestKey) []metric.RecordOption {
	attributes := []attribute.KeyValue{attribute.String(attrMethod, k.method), attribute.String(attrScheme, k.scheme)}
	if k.route != "" {
		attributes = append(attributes, attribute.String(attrRoute, k.route))
	}
	if k.status != 0 {
		attributes = append(attributes, attribute.Int(attrStatusCode, k.status))
	}
	if k.status >= http.StatusInternalServerError {
		attributes = append(attributes, attribute.String(attrError, strconv.Itoa(k.status)))
	}
	options := []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attributes...))}

	h.mu.Lock()
	defer h.mu.Unlock()
	after := maps.Clone(*h.known.Load())
	after[k] = options
	h.known.Store(&after)
	return options
}

// Refused counts a request that was turned away for there being too many, by a reason that the table has.
func (h *HTTP) Refused(reason string) {
	if options, ok := h.reasons[reason]; ok {
		h.refused.Add(context.Background(), 1, options...)
	}
}

// ObserveAdmission measures how many requests wait to be worked on, and how many refusals are held back.
func (m *Metrics) ObserveAdmission(waiting, held func() int) {
	if m == nil || m.make == nil {
		return
	}
	m.make.observe(func(o metric.Observer) {
		m.make.int(o, admissionWaiting, int64(waiting()), attribute.NewSet())
		m.make.int(o, admissionHeld, int64(held()), attribute.NewSet())
	}, admissionWaiting, admissionHeld)
}

// ObserveConnections measures how many connections are open, how many of these are idle, and how many of those rest.
func (m *Metrics) ObserveConnections(count func() (open, idle int), resting func() int) {
	if m == nil || m.make == nil {
		return
	}
	active := attribute.NewSet(semconv.HTTPConnectionStateActive)
	unused := attribute.NewSet(semconv.HTTPConnectionStateIdle)
	m.make.observe(func(o metric.Observer) {
		open, idle := count()
		m.make.int(o, httpConnections, int64(max(0, open-idle)), active)
		m.make.int(o, httpConnections, int64(idle), unused)
		m.make.int(o, httpResting, int64(resting()), attribute.NewSet())
	}, httpConnections, httpResting)
}
