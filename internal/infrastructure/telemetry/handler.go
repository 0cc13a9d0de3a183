package telemetry

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"order-processing-service/internal/application/correlation"
)

// handler writes records as lines. slog's own JSON handler, with the fields renamed and the context's added, takes
// three times as long, and each request pays for a line.
type handler struct {
	lines   *lines
	level   slog.Leveler
	patient bool     // its lines below WARNING may wait
	prefix  []byte   // the members that With added, as they stand in each line after the message
	opened  int      // how many groups the prefix leaves open
	groups  []string // groups begun after that, which their first member will open
}

// lines writes whole lines, in their order.
type lines struct {
	mu      sync.Mutex
	w       io.Writer
	waiting []byte      // lines that are yet to be written
	timer   *time.Timer // writes them
	pool    sync.Pool   // objects to make lines in
}

// Lines wait for so long, or until there are so many bytes of them.
const (
	maxWait    = 10 * time.Millisecond
	maxWaiting = 32 << 10
)

// write writes a line and what waits before it, or lets it wait as well.
func (l *lines) write(line []byte, wait bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !wait && len(l.waiting) == 0 {
		_, err := l.w.Write(line)
		return err //nolint:wrapcheck // slog drops it
	}
	first := len(l.waiting) == 0
	l.waiting = append(l.waiting, line...)
	switch {
	case !wait || len(l.waiting) >= maxWaiting:
		return l.flush()
	case l.timer == nil:
		l.timer = time.AfterFunc(maxWait, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			_ = l.flush() // there is nobody to tell
		})
	case first:
		l.timer.Reset(maxWait)
	}
	return nil
}

// flush writes what waits; mu is held.
func (l *lines) flush() error {
	if len(l.waiting) == 0 {
		return nil
	}
	_, err := l.w.Write(l.waiting)
	l.waiting = l.waiting[:0]
	if cap(l.waiting) > maxPooled {
		l.waiting = nil
	}
	return err //nolint:wrapcheck // as in write
}

// maxPooled keeps one huge line from holding its memory for ever, in bytes.
const maxPooled = 64 << 10

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	o, _ := h.lines.pool.Get().(*object)
	if o == nil {
		o = new(object)
	}
	o.b = append(o.b[:0], '{')
	if !r.Time.IsZero() {
		o.timestamp(r.Time)
	}
	o.key("level")
	o.string(levelName(r.Level))
	o.key("message")
	o.string(r.Message)
	o.b = append(o.b, h.prefix...)
	begun := o.open(h.groups...)
	r.Attrs(func(a slog.Attr) bool {
		o.attr(a)
		return true
	})
	o.correlation(ctx)
	o.close(begun)
	o.brackets(h.opened)
	o.b = append(o.b, '}', '\n')
	err := h.lines.write(o.b, h.patient && r.Level < slog.LevelWarn)
	if cap(o.b) <= maxPooled {
		h.lines.pool.Put(o)
	}
	return err
}

// correlation adds what ties the line to others.
func (o *object) correlation(ctx context.Context) {
	if id := correlation.RequestID(ctx); id != "" {
		o.key("request_id")
		o.string(id)
	}
	if name := correlation.Subject(ctx); name != "" {
		o.key("subject")
		o.string(name)
	}
	if trace := correlation.TraceOf(ctx); trace.Valid() {
		o.key("trace_id")
		o.string(trace.TraceID)
		o.key("span_id")
		o.string(trace.SpanID)
		o.key("xray_trace_id")
		o.b = append(trace.AppendXRayRoot(append(o.b, '"')), '"')
	}
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	o := object{slices.Clone(h.prefix)}
	begun := o.open(h.groups...)
	for _, a := range attrs {
		o.attr(a)
	}
	if len(o.b) == begun.end {
		return h
	}
	with := *h
	with.prefix, with.opened, with.groups = o.b, h.opened+len(h.groups), nil
	return &with
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.groups = append(slices.Clip(h.groups), name)
	return &with
}
