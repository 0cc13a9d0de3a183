package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

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
