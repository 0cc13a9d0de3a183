package httpapi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/interfaces/httpapi/admission"
)

var errBusy = fault.New(fault.Unavailable, "too_busy", "the service is working on as many requests as it can; try again")

const (
	// bodyGrace is how long a client may take to send a body before others work in its place.
	bodyGrace = 100 * time.Millisecond
	// sharePart is the part of the places at work that one kind of long requests may have.
	sharePart = 8
	// lentForEach is how many places are lent for each that may wait: more than one client may have connections, by default.
	lentForEach = 2
	// lightRefusal is how large a body may be, in bytes, for its connection to be used again after a refusal: net/http reads it
	// first, and lets the answer wait for that.
	lightRefusal = 4 << 10
	// servedForEach keeps refusals from taking the processors from those who are served: with its connection a
	// refusal costs nearly as much as placing an order.
	servedForEach = 50
	// longestRest is how long a connection rests at most: of ten thousand connections, 500 come again in a second. Retry-After
	// tells clients to stay away for as long as their connections are expected to rest, so that those that do hardly meet a rest.
	longestRest = 20 * time.Second
	// longestHold is how long a refusal is held back on a connection that has to be read meanwhile.
	longestHold = time.Second
)

// gate is the way in.
type gate struct {
	*admission.Gate

	share        int64 // of the places, for each kind of long requests
	exports      atomic.Int64
	batches      atomic.Int64
	heldBack     atomic.Int64 // refusals
	mostHeldBack int64
	longest      time.Duration // for a connection to rest
	pace         admission.Pace
	refusals     refusals
}

func newGate(c *Config) *gate {
	return &gate{
		Gate: admission.New(admission.Config{
			Working: c.MaxConcurrent, Waiting: c.MaxWaiting, Timeout: min(c.QueueTimeout, c.RequestTimeout),
			Lent: max(c.MaxConcurrent, lentForEach*c.MaxWaiting),
		}),
		share:        int64(max(1, c.MaxConcurrent/sharePart)),
		mostHeldBack: int64(c.MaxWaiting),
		longest:      min(cmp.Or(c.LongestRest, longestRest), longestRest),
		pace:         admission.Pace{Served: servedForEach},
		refusals:     refusals{log: c.Log},
	}
}

// Waiting implements Handler.
func (a *api) Waiting() int { return a.gate.Waiting() }

// Held implements Handler.
func (a *api) Held() int { return int(a.gate.heldBack.Load()) }

// Release implements Handler: one comes again for some that are served, and as many more as there are free places, beyond half of all,
// which are for those who come by themselves.
func (a *api) Release() int { return a.gate.pace.Come() + max(0, a.gate.Free()-a.MaxConcurrent/2) }

// enter returns nil when the request may be worked on: leave must then be called.
func (x *exchange) enter() error {
	g, ctx := x.api.gate, x.r.Context()
	if x.inside = g.Try(); x.inside {
		return nil
	}
	waited := time.Duration(0)
	if x.api.Rested != nil {
		waited = x.api.Rested(ctx)
	}
	err := g.Enter(ctx, waited)
	x.inside = err == nil
	return x.admitted(err)
}

// leave gives back what enter took, unless that has been done. Only those count as served who get what they asked for: else a flood of
// tokens that are not taken would let as many more be refused.
func (x *exchange) leave() {
	if x.inside {
		x.inside = false
		x.api.gate.Leave()
		if x.status != 0 && x.status < http.StatusBadRequest {
			x.api.gate.pace.Serve()
		}
	}
}

// beginLong returns nil when a long request may go on, of whose kind under is how many there are: endLong must then be called. They
// may not have all the places.
func (x *exchange) beginLong(under *atomic.Int64) error {
	if under.Add(1) > x.api.gate.share {
		under.Add(-1)
		return x.turnAway(RefusedQueueFull)
	}
	return nil
}

func endLong(under *atomic.Int64) { under.Add(-1) }

// admitted makes a fault of the error of a gate.
func (x *exchange) admitted(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, admission.ErrFull):
		return x.turnAway(RefusedQueueFull)
	case errors.Is(err, admission.ErrTimeout):
		return x.turnAway(RefusedQueueTimeout)
	default:
		return err
	}
}

// turnAway returns the fault of a request that there is no place for, and sees to it that its client is not back at once.
func (x *exchange) turnAway(reason string) error {
	a := x.api
	x.turned = true
	a.Meter.Refused(reason)
	a.gate.refusals.add(reason)
	h, busy := x.w.Header(), *errBusy
	if x.r.ProtoMajor == 1 && x.wouldReadOn(reason) {
		h["Connection"] = closing
	}
	last := h["Connection"] != nil
	switch {
	case a.Rest != nil && x.r.ProtoMajor == 1 && !a.TrustedProxies.Trust(x.r.RemoteAddr):
		rest := a.gate.longest
		if last {
			rest = 0
		}
		busy.RetryAfter = min(a.gate.pace.Wait(1+a.Rest(x.r.Context(), rest)), a.gate.longest)
	case !last && !x.inside:
		// A connection of HTTP/2, or of a proxy, is not for one request at a time, or not one client's alone: it is read on.
		x.putDown() // others may have what its body weighs
		x.in = nil
		busy.RetryAfter = a.gate.holdBack(x.r.Context())
	}
	return &busy
}

// holdBack holds a refusal back, so that what comes in its place comes later. It returns how much longer that should have been: there is a
// limit to the time, and to how many are held back.
func (g *gate) holdBack(ctx context.Context) time.Duration {
	n := g.heldBack.Add(1)
	defer g.heldBack.Add(-1)
	whole := g.pace.Wait(int(n))
	d := min(whole, longestHold)
	if n > g.mostHeldBack || d <= 0 {
		return min(whole, g.longest)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return min(whole-d, g.longest)
}

// wouldReadOn tells whether net/http would read much of the body of a request that is turned away, to use the connection again, before
// it lets the answer go.
func (x *exchange) wouldReadOn(reason string) bool {
	n := x.r.ContentLength
	return !x.taken && (n < 0 || n > lightRefusal || n > 0 && reason == RefusedBodyBytes)
}

// readWhole is read, in which others work in the place of a request whose body takes long. If too many do, it is turned away.
func (x *exchange) readWhole(limit int64) ([]byte, error) {
	loan, reading := x.api.gate.Lend(bodyGrace, x.stopReading), true
	defer func() {
		if reading { // a panic does not leave the loan open
			x.inside, _ = loan.End()
		}
	}()
	body, err := x.read(limit)
	reading = false
	if err == nil {
		x.taken = true
		err = loan.Return(x.ctx)
		x.inside = err == nil
		return body, x.admitted(err)
	}
	var recalled bool
	if x.inside, recalled = loan.End(); recalled {
		x.w.Header()["Connection"] = closing // in the midst of a body
		return nil, x.turnAway(RefusedQueueFull)
	}
	return nil, err
}

// stopReading has read end with an error.
func (x *exchange) stopReading() {
	// A reader without deadlines goes on until its body has come, or does no more.
	_ = http.NewResponseController(x.w).SetReadDeadline(time.Unix(1, 0)) // which is over
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
	case RefusedQueueFull:
		r.full++
	case RefusedQueueTimeout:
		r.timeout++
	case RefusedBodyBytes:
		r.bodyBytes++
	}
}

func (r *refusals) tell() {
	r.mu.Lock()
	full, timeout, bodyBytes := r.full, r.timeout, r.bodyBytes
	r.full, r.timeout, r.bodyBytes = 0, 0, 0
	r.mu.Unlock()
	r.log.LogAttrs(context.Background(), slog.LevelWarn, "requests turned away",
		slog.Int(RefusedQueueFull, full), slog.Int(RefusedQueueTimeout, timeout), slog.Int(RefusedBodyBytes, bodyBytes),
		slog.Int("status", http.StatusServiceUnavailable), slog.String("code", errBusy.Code))
}
