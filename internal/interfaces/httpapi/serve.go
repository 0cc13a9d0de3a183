package httpapi

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"order-processing-service/internal/domain/fault"
)

// ServeHTTP answers one request: it finds the operation, keeps to the limits, and sees to it that
// whatever happens is answered and logged.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(a, w, r)
	a.Meter.Begun(x.method, x.scheme)
	defer func() { x.end(recover()) }()
	if err := x.serve(); err != nil { //nolint:contextcheck // an exchange has that of its request
		if x.left = x.hasLeft(err); !x.left {
			x.fail(err)
		}
	}
}

// hasLeft tells whether err came of it that the client has gone, or that the stop of the service ends what it can't wait for, so that
// there is nobody to answer. That is no failure of the service.
func (x *exchange) hasLeft(err error) bool {
	return x.status == 0 && errors.Is(err, context.Canceled) && errors.Is(x.r.Context().Err(), context.Canceled)
}

// serve finds and runs the operation.
func (x *exchange) serve() error {
	a := x.api
	allowed := a.crossOrigin.allow(x)
	place, parameters := a.routes.find(x.r.URL.Path)
	if place != nil {
		x.op, x.path = place.operations[x.r.Method], parameters
	}
	op := x.op
	var refused error
	if op != nil && !op.exempt {
		refused = x.enter()
		defer x.leave()
	}
	x.trace(refused == nil) // a record of each refusal would cost what that is to save
	if refused != nil {
		return refused
	}
	if op == nil {
		return x.serveNothing(place, allowed)
	}
	if !op.exempt {
		if err := x.withinLimit(x.identify()); err != nil {
			return err
		}
		if err := x.allow(op.scope); err != nil {
			return err
		}
	}
	if !op.endless {
		ctx, cancel := context.WithDeadline(x.ctx, x.begun.Add(a.RequestTimeout))
		defer cancel()
		x.ctx = ctx
	}
	if err := x.checkQuery(); err != nil {
		return err
	}
	return x.late(op.handle(x))
}

// serveNothing answers where no operation is: place may be nil. Nobody is asked who they are there, so their network is counted;
// preflights are not, as browsers make them by themselves.
func (x *exchange) serveNothing(place *node, allowed bool) error {
	here := place != nil && len(place.operations) > 0
	if here && allowed && x.isPreflight() {
		return x.preflight(place)
	}
	if err := x.count(false); err != nil {
		return err
	}
	if !here {
		return errRoute
	}
	x.w.Header()["Allow"] = []string{place.allow}
	return refusal{http.StatusMethodNotAllowed, fault.New(fault.NotFound, "method_not_allowed", "this path takes "+place.allow+" only")}
}

// late makes a fault of the error that the request's time is over.
func (x *exchange) late(err error) error {
	if err != nil && errors.Is(err, context.DeadlineExceeded) && x.ctx.Err() != nil {
		return fault.Wrap(err, fault.Unavailable, "request_timeout",
			"the service could not finish in time; try again, with the same Idempotency-Key if it is a change")
	}
	return err
}

var errRoute = fault.New(fault.NotFound, "route_not_found", "there is nothing at this path; see /docs for what there is")

// end is what happens last: the answer to a panic, if p is one, and the log line.
func (x *exchange) end(p any) {
	aborted := p == http.ErrAbortHandler //nolint:errorlint // net/http compares it so
	if p != nil && !aborted {
		x.api.Log.ErrorContext(x.ctx, "request panicked", "panic", p, "stack", string(debug.Stack()))
		aborted = x.status != 0 // the client must not take half an answer for a whole one
		if !aborted {
			x.answer(errPanic)
		}
	}
	took := time.Since(x.begun)
	x.api.Meter.Ended(x.ctx, x.method, x.scheme, x.route(), x.status, took)
	x.log(took)
	if x.record != nil {
		x.record(x.status, aborted)
	}
	aborted = aborted || x.left // else net/http would answer 200
	x.release()
	if aborted {
		panic(http.ErrAbortHandler)
	}
}

var errPanic = errors.New("panic")
