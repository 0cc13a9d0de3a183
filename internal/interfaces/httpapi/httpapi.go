// Package httpapi is the REST API on net/http: the operations on orders and deliveries, the health
// checks, Swagger UI and the documents that describe them.
//
// Each operation is one value that has its method and path, its documentation and its handler, so
// that nothing is served without being described. The handlers read requests strictly and write
// answers with the encoders of package wire; the schemas in /openapi.json come from the types there.
// Whatever goes wrong, in a handler or before one is found, is answered with a problem (RFC 9457)
// through the one table in problem.go.
package httpapi

//go:generate go test -run ^TestDocumentsAreCurrent$ . -update

import (
	"cmp"
	"context"
	"iter"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/interfaces/httpapi/clients"
	"order-processing-service/internal/interfaces/httpapi/ratelimit"
)

// Deliveries is what an operator does with deliveries. Errors are faults. Implementations are safe
// for concurrent use.
type Deliveries interface {
	// List returns a page of the deliveries that wait or are parked.
	List(ctx context.Context, q delivery.Query) (delivery.Page, error)
	// Redrive has a delivery tried again at once.
	Redrive(ctx context.Context, id order.ID, subscriber string) error
	// RedriveParked has parked deliveries of a subscriber, or of all if it is "", tried again at once: a bounded number,
	// going on after an earlier answer.
	RedriveParked(ctx context.Context, subscriber, after string) (delivery.Redriven, error)
	// Skip passes over the event that is to be delivered next.
	Skip(ctx context.Context, id order.ID, subscriber string) error
}

// Orders are the use cases of orders; ordering.Service has them, and its words on them count. Implementations are safe for concurrent
// use.
type Orders interface {
	Place(ctx context.Context, caller ordering.Caller, p ordering.Place) (ordering.Placed, error)
	PlaceBatch(ctx context.Context, caller ordering.Caller, batch []ordering.Place) []ordering.Placed
	Read(ctx context.Context, caller ordering.Caller, id order.ID) (*order.Order, error)
	Timeline(ctx context.Context, caller ordering.Caller, id order.ID) (*order.Order, []order.Event, error)
	List(ctx context.Context, caller ordering.Caller, q ordering.Query) (ordering.Page, error)
	All(ctx context.Context, caller ordering.Caller, q ordering.Query) iter.Seq2[*order.Order, error]
	Change(ctx context.Context, caller ordering.Caller, c ordering.Change) (ordering.Revised, error)
	Ready(ctx context.Context) error
}

// Defaults of Config, where its fields are zero.
const (
	DefaultMaxBody          = 1 << 20
	DefaultMaxBatchBody     = 8 << 20
	DefaultMaxInFlightBytes = 256 << 20
	DefaultMaxConcurrent    = 256
	DefaultQueueTimeout     = time.Second
	DefaultRequestTimeout   = 30 * time.Second
	DefaultReadyTimeout     = 2 * time.Second
	DefaultExportStall      = 30 * time.Second
)

// Config says what the API is made of. Orders and Deliveries are needed; the rest has defaults.
type Config struct {
	Orders     Orders
	Deliveries Deliveries
	// Log gets a line for each request and one for each internal error; nil for none.
	Log *slog.Logger
	// Version is the version of the program, which /health tells.
	Version string
	// Identify says who calls, or answers with a fault of kind Unauthenticated, whose code is token_missing when the request
	// does not say at all. With nil nobody is asked, and everybody may do everything. It is not asked for health checks and
	// documents.
	Identify func(*http.Request) (access.Caller, error)
	// NameSubject turns a caller's subject into what log lines say of it; nil leaves it as it is. Nothing is logged of who is
	// not asked.
	NameSubject func(subject string) string
	// MaxBody and MaxBatchBody are the largest request bodies, in bytes.
	MaxBody, MaxBatchBody int64
	// MaxInFlightBytes is how much the bodies of all requests that are worked on may weigh together;
	// what would be more is answered 503. A body weighs its Content-Length, or what has come of it when
	// it has none, and 4 KiB at least. Less than the largest body that is allowed counts as that. Answers to reads of more than
	// 64 KiB that clients have yet to take may weigh as much again.
	MaxInFlightBytes int64
	// MaxConcurrent is how many requests are worked on at once, of which exports and batches may be an eighth each. Health checks
	// do not count, nor does a request whose body takes long to come, until it has.
	MaxConcurrent int
	// MaxWaiting is how many more may wait for that, each at most QueueTimeout; others are answered 503 at once. Nobody waits
	// when it is 0.
	MaxWaiting   int
	QueueTimeout time.Duration
	// Rest asks that the connection of a request be left unread once the request is answered, until Handler.Release lets it be read, most
	// at the longest; 0 for not at all. It returns how many connections rest already, which come first. It is called when there is no place for the request, as
	// those whose requests can't be met send the most of them; not for those of TrustedProxies, which are many clients' together, nor for
	// HTTP/2, which has many requests on a connection: there the refusal is held back for a second at most. Nil for that everywhere.
	Rest func(ctx context.Context, most time.Duration) (before int)
	// LongestRest is that longest time; 0, or more than 20 s, for 20 s. It must be well below the time after which the server closes an
	// idle connection, as one that rests is idle.
	LongestRest time.Duration
	// Rested tells how long a request has been waiting to be read, because its connection rested; that counts towards QueueTimeout.
	// Nil when connections do not rest.
	Rested func(ctx context.Context) time.Duration
	// RequestTimeout is how long a request may take, with its wait, but for an export.
	RequestTimeout time.Duration
	// ReadyTimeout is how long /health/ready waits for the store, at most RequestTimeout. One answer of the store is good for
	// everybody who asks within the next second.
	ReadyTimeout time.Duration
	// ExportStall is how long the reader of an export may take for one part of it.
	ExportStall time.Duration
	// RateLimit bounds what each caller may do: more is answered 429. Health checks and documents do not count. Nil for no
	// bound.
	RateLimit *ratelimit.Limiter
	// TrustedProxies may say for whom they ask, and whether they were asked by https.
	TrustedProxies clients.Proxies
	// AllowedOrigins are the origins of pages that may call the API from a browser, or * for all of them. Without any only its
	// own pages can.
	AllowedOrigins []string
	// Meter measures requests; nil for nobody.
	Meter Meter
	// Propagators says which headers tell of a caller's trace.
	Propagators Propagators
	// Record begins the record of a request in a trace: the caller's, or a new one if that is none. The context that it returns is for
	// the work, and its trace (package correlation) is the record. End ends the record with the status of the answer, 0 if there was
	// none; cut says that the answer ended too early. With nil, for health checks, and for requests that found no place, nothing is
	// recorded.
	Record func(ctx context.Context, r Request) (_ context.Context, end func(status int, cut bool))
}

// Request is what records and measurements have of a request. Nothing in it is the client's own text, but for the ids of its trace.
type Request struct {
	// Caller is the place in a trace that the request comes from; the zero Trace when it names none.
	Caller correlation.Trace
	// Method is one that HTTP knows, or _OTHER, as OpenTelemetry's conventions have it.
	Method string
	// Scheme is http or https: what the client used, if need be by the word of a trusted proxy.
	Scheme string
	// Version is that of HTTP, such as 1.1 or 2.
	Version string
	// Route is the path of the request's operation with names in braces, "" when there is none.
	Route string
	// Begun is when it came; it may have waited for its place since.
	Begun time.Time
}

// Meter measures requests, by what a Request has of them. Implementations are safe for concurrent use and never block; each request
// calls them.
type Meter interface {
	// Begun counts a request that begins to be answered.
	Begun(method, scheme string)
	// Ended counts a request whose answer has ended. The status is that of the answer, 0 when the client was gone before there was one.
	Ended(ctx context.Context, method, scheme, route string, status int, took time.Duration)
	// Refused counts a request that was turned away because there are too many, by one of the constants below.
	Refused(reason string)
}

// Why a request was turned away.
const (
	RefusedQueueFull    = "queue_full"    // as many requests are worked on, and wait, as may
	RefusedQueueTimeout = "queue_timeout" // it has waited for as long as it may
	RefusedBodyBytes    = "body_bytes"    // the bodies of all requests, or the answers to them, weigh as much as they may
	RefusedRateLimit    = "rate_limit"    // the caller has made as many requests as it may
)

// unmetered measures nothing.
type unmetered struct{}

func (unmetered) Begun(string, string)                                              {}
func (unmetered) Ended(context.Context, string, string, string, int, time.Duration) {}
func (unmetered) Refused(string)                                                    {}

// api is the handler.
type api struct {
	Config
	routes    node
	readiness readiness
	gate      *gate
	inFlight  atomic.Int64 // bytes of bodies that count towards MaxInFlightBytes
	unread    atomic.Int64 // bytes of answers, likewise

	crossOrigin *crossOrigin // nil without AllowedOrigins
	ratePolicy  []string     // the header; nil without RateLimit
}

// Handler answers requests. It is safe for concurrent use.
type Handler interface {
	http.Handler
	// Waiting returns how many requests wait to be worked on.
	Waiting() int
	// Held returns how many refusals are held back, so that their clients come again later.
	Held() int
	// Release returns how many of the connections that rest may be read again now. It is to be called often while there are any.
	Release() int
}

// New returns the handler of the whole API.
func New(c Config) Handler {
	a := newAPI(c)
	operations := a.operations()
	a.serves(append(operations, a.documents(operations)...))
	return a
}

// NewHealth returns a handler of the health checks alone, for a process that takes no requests. It needs no Deliveries.
func NewHealth(c Config) http.Handler {
	a := newAPI(c)
	a.serves(a.healthChecks())
	return a
}

func newAPI(c Config) *api {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Meter == nil {
		c.Meter = unmetered{}
	}
	c.MaxBody = cmp.Or(c.MaxBody, DefaultMaxBody)
	c.MaxBatchBody = cmp.Or(c.MaxBatchBody, DefaultMaxBatchBody)
	c.MaxInFlightBytes = max(cmp.Or(c.MaxInFlightBytes, DefaultMaxInFlightBytes), c.MaxBody, c.MaxBatchBody)
	c.MaxConcurrent = cmp.Or(c.MaxConcurrent, DefaultMaxConcurrent)
	c.QueueTimeout = cmp.Or(c.QueueTimeout, DefaultQueueTimeout)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, DefaultRequestTimeout)
	c.ReadyTimeout = min(cmp.Or(c.ReadyTimeout, DefaultReadyTimeout), c.RequestTimeout)
	c.ExportStall = cmp.Or(c.ExportStall, DefaultExportStall)
	a := &api{Config: c, gate: newGate(&c), readiness: newReadiness(), crossOrigin: newCrossOrigin(c.AllowedOrigins)}
	if c.RateLimit != nil {
		a.ratePolicy = ratePolicy(c.RateLimit)
	}
	return a
}

func (a *api) serves(operations []operation) {
	for i := range operations {
		a.routes.add(&operations[i])
	}
}

// operations lists everything that the API does, as /openapi.json shows it.
func (a *api) operations() []operation {
	return append([]operation{
		a.placeOrder(), a.listOrders(), a.placeBatch(), a.exportOrders(),
		a.readOrder(), a.changeOrder(), a.timeline(),
		a.listDeliveries(), a.redriveParked(), a.redriveDelivery(), a.skipDelivery(),
	}, a.healthChecks()...)
}
