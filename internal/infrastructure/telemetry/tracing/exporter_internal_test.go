package tracing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// moody is an exporter that fails while it has an error.
type moody struct {
	sdk.SpanExporter

	err   error
	calls int
}

// ExportSpans implements sdk.SpanExporter.
func (m *moody) ExportSpans(context.Context, []sdk.ReadOnlySpan) error {
	m.calls++
	return m.err
}

// A collector that is away is asked again after ever longer rests, and the log is told twice in all.
func TestPatience(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := &moody{err: errors.New("away")}
	p := newPatient(t.Context(), m, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	export := func(count int) {
		t.Helper()
		if err := p.ExportSpans(t.Context(), make([]sdk.ReadOnlySpan, count)); err != nil {
			t.Error(err)
		}
	}
	export(1)
	for n, rest := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute} {
		now = now.Add(rest - time.Nanosecond)
		export(2)
		if m.calls != n+1 {
			t.Fatalf("rest %d is over before %v are", n+1, rest)
		}
		now = now.Add(time.Nanosecond)
		if n == 5 {
			m.err = nil
		}
		export(1)
		if m.calls != n+2 {
			t.Fatalf("rest %d is not over after %v", n+1, rest)
		}
	}
	export(1)
	text := log.String()
	if strings.Count(text, "\n") != 2 || strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, `again" dropped_spans=18`) {
		t.Errorf("the log has\n%s", text)
	}
	if m.calls != 8 {
		t.Errorf("after all there are %d calls", m.calls)
	}
}
