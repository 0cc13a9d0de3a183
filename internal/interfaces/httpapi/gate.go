package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/interfaces/httpapi/admission"
)

// Meter counts what there is no time to tell of one by one. Implementations are safe for concurrent use.
type Meter interface {
	// Refused counts a request that was turned away because there were too many: reason is queue_full, queue_timeout, body_bytes
	// or rate_limit.
	Refused(reason string)
}

// Why requests are turned away.
const (
	refusedFull    = "queue_full"
	refusedTimeout = "queue_timeout"
	refusedBytes   = "body_bytes"
	refusedRate    = "rate_limit"
)

var errBusy = fault.New(fault.Unavailable, "too_busy", "the service is working on as many requests as it can; try again")

const (
	// bodyGrace is how long a client may take to send a body before others work in its place.
	bodyGrace = 100 * time.Millisecond
	// sharePart is the part of the places at work that one kind of long requests may have.
	sharePart = 8
	// lightRefusal is how large a body may be, in bytes, for its connection to be used again after a refusal: net/http reads it
	// first, and lets the answer wait for that.
	lightRefusal = 4 << 10
	// servedForEach keeps refusals from taking the processors from those who are served: a refusal costs about half as much as
	// placing an order.
	servedForEach = 10
	// longestRest is how long a connection rests at most, though its client was told to stay away for a second: what it sends
	// meanwhile must not be too old when it is read.
	longestRest = 500 * time.Millisecond
)

// gate is the way in.
type gate struct {
	*admission.Gate

	share    int64 // of the places, for each kind of long requests
	pace     admission.Pace
	refusals refusals
}

func newGate(c *Config) *gate {
	return &gate{
		Gate: admission.New(admission.Config{
			Working: c.MaxConcurrent, Waiting: c.MaxWaiting, Timeout: min(c.QueueTimeout, c.RequestTimeout),
		}),
		share:    int64(max(1, c.MaxConcurrent/sharePart)),
		pace:     admission.Pace{Served: servedForEach, Longest: longestRest},
		refusals: refusals{log: c.Log},
	}
}

// enter returns nil when the request may be worked on: leave must then be called.
func (x *exchange) enter() error {
	g := x.api.gate
	if long := x.op.long; long != nil && long.Add(1) > g.share {
		long.Add(-1)
		return x.turnAway(refusedFull)
	}
	err := g.Enter(x.r.Context())
	if err != nil && x.op.long != nil {
		x.op.long.Add(-1)
	}
	x.inside = err == nil
	return x.admitted(err)
}

// leave gives back what enter took.
func (x *exchange) leave() {
	if x.op.long != nil {
		x.op.long.Add(-1)
	}
	if x.inside {
		x.api.gate.Leave()
		x.api.gate.pace.Serve()
	}
}

// admitted makes a fault of the error of a gate.
func (x *exchange) admitted(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, admission.ErrFull):
		return x.turnAway(refusedFull)
	case errors.Is(err, admission.ErrTimeout):
		return x.turnAway(refusedTimeout)
	default:
		return err
	}
}

// turnAway returns the fault of a request that there is no place for, and sees to it that its client is not back at once.
func (x *exchange) turnAway(reason string) error {
	a := x.api
	x.turned = true
	a.refused(reason)
	a.gate.refusals.add(reason)
	if n := x.r.ContentLength; n < 0 || n > lightRefusal {
		x.w.Header()["Connection"] = closing
	} else if a.Rest != nil && x.r.ProtoMajor == 1 {
		a.Rest(x.r.Context(), a.gate.pace.Turn())
	}
	return errBusy
}

func (a *api) refused(reason string) {
	if a.Meter != nil {
		a.Meter.Refused(reason)
	}
}

// readWhole is read, in which others work in the place of a request whose body takes long.
func (x *exchange) readWhole(limit int64) ([]byte, error) {
	loan := x.api.gate.Lend(bodyGrace)
	body, err := x.read(limit)
	if err != nil {
		x.inside = loan.End()
		return nil, err
	}
	err = loan.Return(x.ctx)
	x.inside = err == nil
	return body, x.admitted(err)
}

// refusals tells the log of requests that were turned away, in one line a second: a line for each would cost what the refusal is
// to save.
type refusals struct {
	log *slog.Logger

	mu                       sync.Mutex
	full, timeout, bodyBytes int
}

// add counts one.
func (r *refusals) add(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full+r.timeout+r.bodyBytes == 0 {
		time.AfterFunc(time.Second, r.tell)
	}
	switch reason {
	case refusedFull:
		r.full++
	case refusedTimeout:
		r.timeout++
	case refusedBytes:
		r.bodyBytes++
	}
}

func (r *refusals) tell() {
	r.mu.Lock()
	full, timeout, bodyBytes := r.full, r.timeout, r.bodyBytes
	r.full, r.timeout, r.bodyBytes = 0, 0, 0
	r.mu.Unlock()
	r.log.LogAttrs(context.Background(), slog.LevelWarn, "requests turned away",
		slog.Int(refusedFull, full), slog.Int(refusedTimeout, timeout), slog.Int(refusedBytes, bodyBytes),
		slog.Int("status", http.StatusServiceUnavailable), slog.String("code", errBusy.Code))
}
