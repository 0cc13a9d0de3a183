package lambdafn

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/wire"
)

// serve answers an HTTP request, and tells what came of it before the answer. Whatever goes wrong is an answer too.
func (f *Function) serve(ctx context.Context, e *event) []byte {
	k := e.kind()
	b := budgetOf(ctx)
	work, cancel := b.work(ctx)
	defer cancel()
	at := f.place(e, k)
	r, err := request(work, e, k, at.path)
	if err != nil {
		return f.problem(ctx, e, http.StatusBadRequest, "event_malformed", err.Error()+"; check what makes the event")
	}
	a := &answer{header: http.Header{}, isHead: r.Method == http.MethodHead, limit: limitOf(k), stop: cancel}
	api := f.API
	if at.slash && at.path == pagePath && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		api = http.RedirectHandler(pagePath, http.StatusPermanentRedirect)
	}
	whole := f.run(api, a, r) //nolint:contextcheck // the request has it
	f.flush(ctx, b)
	if !whole && !a.large {
		return f.problem(ctx, e, http.StatusInternalServerError, "internal", "the service failed while it wrote the answer; "+
			"try again, with the same Idempotency-Key if it is a change")
	}
	if !a.large {
		a.finish()
		a.lead(at.prefix)
		text, err := a.encode(e, k)
		if err == nil && len(text) <= a.limit {
			return text
		}
	}
	f.Log.WarnContext(ctx, "The answer is larger than Lambda passes on", "method", r.Method, "limit", a.limit)
	return f.tooLarge(ctx, e, r.Method, a.limit)
}

// pagePath is the one path whose answer has links, which are relative to it without a slash behind. Other paths are taken with
// a slash as they are without: where a client would be sent to must not be its own text.
const pagePath = "/docs"

// run has the API answer, and reports whether it did so to the end.
func (f *Function) run(api http.Handler, a *answer, r *http.Request) (whole bool) {
	defer func() {
		switch p := recover(); p {
		case nil:
			whole = true
		case http.ErrAbortHandler: // as net/http compares it
		default:
			f.Log.ErrorContext(r.Context(), "request panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	api.ServeHTTP(a, r)
	return false
}

// tooLarge answers a request whose answer would be too large. A change has been made all the same, so that it is not said
// to be refused.
func (f *Function) tooLarge(ctx context.Context, e *event, method string, limit int) []byte {
	const size = "the answer is larger than the %d bytes that Lambda passes on"
	if method == http.MethodGet || method == http.MethodHead {
		return f.problem(ctx, e, http.StatusUnprocessableEntity, "answer_too_large",
			fmt.Sprintf(size+"; ask for less at once, with a smaller limit or a narrower filter", limit))
	}
	return f.problem(ctx, e, http.StatusInternalServerError, "answer_too_large",
		fmt.Sprintf("the request was carried out, but "+size+"; read what came of it in parts, and send less at once", limit))
}

// problem is an answer of the function itself, in the form of the API's problems.
func (f *Function) problem(ctx context.Context, e *event, status int, code, detail string) []byte {
	id := e.Context.RequestID
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		id = cmp.Or(id, invocation.AwsRequestID)
	}
	if sent := e.header().Get("X-Request-ID"); correlation.ValidRequestID(sent) {
		id = sent
	}
	if !correlation.ValidRequestID(id) {
		id = correlation.NewRequestID()
	}
	a := &answer{header: http.Header{}, limit: limitOf(e.kind()), stop: func() {}}
	for name, value := range map[string]string{
		"Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Request-ID": id,
	} {
		a.header.Set(name, value)
	}
	a.WriteHeader(status)
	a.body.Write(wire.AppendProblem(nil, &wire.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code, Error: detail, RequestID: id,
	}))
	a.finish()
	text, err := a.encode(e, e.kind())
	if err != nil { // it is text alone
		f.Log.ErrorContext(ctx, "a problem can't be written", "error", err)
	}
	return text
}
