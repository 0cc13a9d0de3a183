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
)

// methods are those that are told apart; the others are a client's own text.
var methods = [...]string{
	http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodHead, http.MethodPut, http.MethodDelete,
	http.MethodOptions, http.MethodConnect, http.MethodTrace, "_OTHER",
}

// numberOf is the place of a method in methods.
func numberOf(method string) int {
	for i, m := range methods {
		if m == method {
			return i
		}
	}
	return len(methods) - 1
}

// HTTP measures requests. It is safe for concurrent use. Sets of attributes are made once: a request finds its own by its key,
// without an allocation.
type HTTP struct {
	duration metric.Float64Histogram
	refused  metric.Int64Counter
	active   [len(methods)]atomic.Int64

	mu      sync.Mutex // for writing known
	known   atomic.Pointer[map[requestKey][]metric.RecordOption]
	reasons map[string][]metric.AddOption // never changed
}

// requestKey is what requests are told apart by. The number of keys is bounded by the operations and the statuses that there are.
type requestKey struct {
	route          string
	method, status int
}

func newHTTP(ctx context.Context, m *maker) *HTTP {
	h := &HTTP{
		duration: m.histogram(httpDuration), refused: m.counter(admissionRefused), reasons: make(map[string][]metric.AddOption),
	}
	for _, reason := range []string{"queue_full", "queue_timeout", "body_bytes", "rate_limit"} {
		h.reasons[reason] = []metric.AddOption{metric.WithAttributeSet(one(attrReason, reason))}
		h.refused.Add(ctx, 0, h.reasons[reason]...) // what there is none of yet is seen as 0
	}
	h.known.Store(&map[requestKey][]metric.RecordOption{})
	sets := make([]attribute.Set, len(methods))
	for i, method := range methods {
		sets[i] = one(attrMethod, method)
	}
	m.observe(func(o metric.Observer) {
		for i := range methods {
			m.int(o, httpActive, h.active[i].Load(), sets[i])
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

// Begun counts a request that begins to be answered.
func (h *HTTP) Begun(method string) { h.active[numberOf(method)].Add(1) }

// Ended counts a request whose answer has ended. The route is the template of its path, "" for a path that is not served; the
// status is 0 when the client was cut off before there was one.
func (h *HTTP) Ended(ctx context.Context, method, route string, status int, took time.Duration) {
	k := requestKey{route: route, method: numberOf(method), status: status}
	h.active[k.method].Add(-1)
	options, ok := (*h.known.Load())[k]
	if !ok {
		options = h.learn(k)
	}
	h.duration.Record(ctx, took.Seconds(), options...)
}

// learn makes the attributes of a kind of request that comes for the first time.
func (h *HTTP) learn(k requestKey) []metric.RecordOption {
	attributes := []attribute.KeyValue{attribute.String(attrMethod, methods[k.method])}
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
	before := *h.known.Load()
	after := make(map[requestKey][]metric.RecordOption, len(before)+1)
	maps.Copy(after, before)
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

// ObserveAdmission measures how many requests wait to be worked on.
func (m *Metrics) ObserveAdmission(waiting func() int) {
	if m == nil || m.make == nil {
		return
	}
	m.make.observe(func(o metric.Observer) {
		m.make.int(o, admissionWaiting, int64(waiting()), attribute.NewSet())
	}, admissionWaiting)
}

// ObserveConnections measures how many connections there are.
func (m *Metrics) ObserveConnections(count func() (open, idle int)) {
	if m == nil || m.make == nil {
		return
	}
	opened, resting := one(attrState, "open"), one(attrState, "idle")
	m.make.observe(func(o metric.Observer) {
		open, idle := count()
		m.make.int(o, httpConnections, int64(open), opened)
		m.make.int(o, httpConnections, int64(idle), resting)
	}, httpConnections)
}
