// Package telemetry tells the outside what the service does. So far that is the log: JSON lines for machines.
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"order-processing-service/internal/application/correlation"
)

// timestampLayout is RFC 3339 in UTC with milliseconds, of the same width in every line.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// NewLogger returns a logger that writes one JSON object a line, in a single call of w.Write, to w: timestamp, level
// (DEBUG, INFO, WARNING or ERROR), message, service, version and what the caller adds. A line that is logged with a
// context also has its request_id, trace_id and span_id, as package correlation put them there; inside a group when the
// logger has one. Lines below level are left out. The logger may be used by any number of goroutines; w need not stand
// concurrent calls, and its errors are dropped.
func NewLogger(w io.Writer, level slog.Leveler, service, version string) *slog.Logger {
	lines := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: rename})
	return slog.New(handler{lines}).With("service", service, "version", version)
}

// rename gives slog's own fields the names and forms that this service's readers know. What a caller logs under one of
// slog's names is told apart by its type and left alone.
func rename(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		if a.Value.Kind() == slog.KindTime {
			return slog.String("timestamp", a.Value.Time().UTC().Format(timestampLayout))
		}
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			return slog.String(slog.LevelKey, levelName(level))
		}
	case slog.MessageKey:
		a.Key = "message"
	}
	return a
}

// levelName names the highest of the four levels that l reaches; what lies below DEBUG is DEBUG as well.
func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "ERROR"
	case l >= slog.LevelWarn:
		return "WARNING"
	case l >= slog.LevelInfo:
		return "INFO"
	default:
		return "DEBUG"
	}
}

// handler adds what the context carries. It costs no allocation when that is nothing.
type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	id, trace := correlation.RequestID(ctx), correlation.TraceOf(ctx)
	if id == "" && !trace.Valid() {
		return h.Handler.Handle(ctx, r)
	}
	r = r.Clone() // the record's attributes may be shared with another handler
	if id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if trace.Valid() {
		r.AddAttrs(slog.String("trace_id", trace.TraceID), slog.String("span_id", trace.SpanID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
