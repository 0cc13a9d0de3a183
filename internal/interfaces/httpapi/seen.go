package httpapi

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// What is told of requests in the log, in measurements and in traces is told by these names alone, so that a request has the same in
// all three, and a client's own text comes into none.

// The values of url.scheme.
const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
)

// methods are those that HTTP knows. Others are the client's own text, and stand together for otherMethod.
var methods = [...]string{
	http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodHead, http.MethodPut, http.MethodDelete,
	http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

const otherMethod = "_OTHER"

// methodOf returns the method by which a request is told of. It is never the request's own string, which what is measured would keep,
// and with it the whole line that it is a part of.
func methodOf(r *http.Request) string {
	for _, m := range methods {
		if m == r.Method {
			return m
		}
	}
	return otherMethod
}

// schemeOf returns the scheme by which the client asked.
func (x *exchange) schemeOf() string {
	if x.r.TLS != nil || len(x.api.TrustedProxies) > 0 && x.from().HTTPS {
		return schemeHTTPS
	}
	return schemeHTTP
}

// versionOf returns the version of HTTP; later ones than 1 have no minor one.
func versionOf(r *http.Request) string {
	switch {
	case r.ProtoMajor > 1:
		return strconv.Itoa(r.ProtoMajor)
	case r.ProtoMinor == 0:
		return "1.0"
	default:
		return "1.1"
	}
}

// route returns the path of the operation with names in braces, "" when there is none.
func (x *exchange) route() string {
	if x.op == nil {
		return ""
	}
	return x.op.path
}

// log writes the line that each request gets. Nothing in it is the customer's. Those that were turned away are told of
// together, and those that left have the status 0.
func (x *exchange) log(took time.Duration) {
	level := slog.LevelInfo
	switch {
	case x.op != nil && x.op.quiet || x.turned || x.left:
		level = slog.LevelDebug
	case x.status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	if !x.api.Log.Enabled(x.ctx, level) {
		return
	}
	attributes := append(make([]slog.Attr, 0, 7), slog.String("method", x.method)) // it stays on the stack
	if route := x.route(); route != "" {
		attributes = append(attributes, slog.String("route", route))
	}
	attributes = append(attributes, slog.Int("status", x.status),
		// A whole number costs the log a third of what a fraction does.
		slog.Int64("duration_us", took.Microseconds()), slog.Int64("bytes", x.written))
	if x.code != "" {
		attributes = append(attributes, slog.String("code", x.code))
	}
	switch x.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		// Only of who is turned away: an address belongs to a person.
		attributes = append(attributes, slog.String("client", x.from().Address.String()))
	}
	x.api.Log.LogAttrs(x.ctx, level, "request", attributes...)
}
