// Package correlation carries through a context what ties together the lines, calls and events of one piece of work: the
// id of the request and its W3C trace. The ways in set it, the log handler and the ways out read it; no decision of the
// business ever depends on it.
//
// All functions are safe for concurrent use.
package correlation

import (
	"context"
	"crypto/rand"
)

// maxRequestID bounds a request id that a caller chose, in bytes.
const maxRequestID = 128

type (
	requestIDKey struct{}
	traceKey     struct{}
	subjectKey   struct{}
)

// WithRequestID returns a context for the work of one request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the id of the request that ctx belongs to; empty when there is none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// NewRequestID makes an id that nobody else has: 26 capitals and digits with 130 random bits.
func NewRequestID() string { return rand.Text() }

// ValidRequestID tells whether an id that a caller sent may be used as it is: 1 to 128 letters, digits and the signs that
// common id formats use (- _ . : / + = @ ~). Nothing among them needs quoting in a log line, a header or a URL path
// segment that is escaped as usual.
func ValidRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=', c == '@', c == '~':
		default:
			return false
		}
	}
	return true
}

// WithTrace returns a context for work that belongs to a trace.
func WithTrace(ctx context.Context, t Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// TraceOf is the trace that ctx belongs to; the zero Trace when there is none.
func TraceOf(ctx context.Context) Trace {
	t, _ := ctx.Value(traceKey{}).(Trace)
	return t
}

// WithSubject returns a context for work of a caller, by the name that log lines give it.
func WithSubject(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, subjectKey{}, name)
}

// Subject is the name of the caller whose work ctx belongs to; empty when nobody asked.
func Subject(ctx context.Context) string {
	name, _ := ctx.Value(subjectKey{}).(string)
	return name
}
