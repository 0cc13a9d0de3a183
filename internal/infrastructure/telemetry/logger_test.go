package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/infrastructure/telemetry"
)

// at returns a record of a fixed moment, given in a zone that is not UTC.
func at(level slog.Level, message string, args ...any) slog.Record {
	moment := time.Date(2026, 3, 1, 1, 30, 0, 120_900_000, time.FixedZone("CET", 3600))
	r := slog.NewRecord(moment, level, message, 0)
	r.Add(args...)
	return r
}

func traced() context.Context {
	trace, _ := correlation.ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	ctx := correlation.WithSubject(correlation.WithRequestID(context.Background(), "r-1"), "ana")
	return correlation.WithTrace(ctx, trace)
}

func TestLines(t *testing.T) {
	const head = `{"timestamp":"2026-03-01T00:30:00.120Z","level":`
	const own = `,"service":"orders","version":"1.2.3"`
	tests := map[string]struct {
		ctx    context.Context
		record slog.Record
		want   string
	}{
		"plain": {context.Background(), at(slog.LevelInfo, "hi"), head + `"INFO","message":"hi"` + own + `}`},
		"warning with an error": {
			context.Background(), at(slog.LevelWarn, "oh", "error", errors.New("no\nway")),
			head + `"WARNING","message":"oh"` + own + `,"error":"no\nway"}`,
		},
		"request and trace": {
			traced(), at(slog.LevelError, "bad", "n", 1),
			head + `"ERROR","message":"bad"` + own +
				`,"n":1,"request_id":"r-1","subject":"ana","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","xray_trace_id":"1-4bf92f35-77b34da6a3ce929d0e0e4736"}`,
		},
		"request alone": {
			correlation.WithRequestID(context.Background(), "r-2"), at(slog.LevelDebug, "x"),
			head + `"DEBUG","message":"x"` + own + `,"request_id":"r-2"}`,
		},
		"levels between": {context.Background(), at(slog.LevelInfo+1, "x"), head + `"INFO","message":"x"` + own + `}`},
		"a caller's own level and time": {
			context.Background(), at(slog.LevelInfo, "x", "level", "gold", "time", "noon"),
			head + `"INFO","message":"x"` + own + `,"level":"gold","time":"noon"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			h := telemetry.NewLogger(&out, slog.LevelDebug, "orders", "1.2.3").Handler()
			if err := h.Handle(tt.ctx, tt.record); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want+"\n", out.String()); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALineWithoutATrace(t *testing.T) {
	var out bytes.Buffer
	telemetry.NewLogger(&out, slog.LevelInfo, "orders", "dev").Warn("x")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("it is %s", out.String())
	}
}

// What nobody sees is escaped wherever it stands: who reads the log as text is not misled by it, and a program reads what was there.
func TestUnseenSigns(t *testing.T) {
	for _, unseen := range []rune{
		0x7f, 0x80, 0x85, 0x9b, 0x9f, 0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e,
		0x2066, 0x2067, 0x2068, 0x2069, 0xfeff, 0xe0001, 0xe0041,
	} {
		text := "über " + string(unseen) + `"a` + string(unseen) + "\U0001f375"
		var out bytes.Buffer
		log := telemetry.NewLogger(&out, slog.LevelInfo, "orders", "dev").With("with", text)
		log.InfoContext(correlation.WithSubject(t.Context(), text), text, //nolint:sloglint // a message is text too
			"text", text, text, 1, "error", errors.New(text), "list", []string{text}, "own", appender(`"ü`+string(unseen)+`"`), slog.Group(text+"s", "x", "y"))
		if strings.ContainsRune(out.String(), unseen) {
			t.Errorf("%U stands in %q", unseen, out.String())
		}
		var line struct {
			Message, With, Text, Subject, Error, Own string
			List                                     []string
		}
		var members map[string]any
		if err := errors.Join(json.Unmarshal(out.Bytes(), &line), json.Unmarshal(out.Bytes(), &members)); err != nil {
			t.Fatalf("%U: %v in %s", unseen, err, out.String())
		}
		for _, got := range []string{line.Message, line.With, line.Text, line.Subject, line.Error, line.List[0]} {
			if got != text {
				t.Errorf("%U: %q became %q", unseen, text, got)
			}
		}
		if line.Own != "ü"+string(unseen) || members[text] == nil || members[text+"s"] == nil {
			t.Errorf("%U: %s", unseen, out.String())
		}
	}
	var out bytes.Buffer
	telemetry.NewLogger(&out, slog.LevelInfo, "orders", "dev").Info("Grüße, 東京, \U0001f375")
	if !strings.Contains(out.String(), `"Grüße, 東京, 🍵"`) {
		t.Errorf("what can be seen is escaped: %s", out.String())
	}
}

func TestLevel(t *testing.T) {
	var out bytes.Buffer
	var level slog.LevelVar
	log := telemetry.NewLogger(&out, &level, "orders", "dev")
	log.Debug("hidden")
	level.Set(slog.LevelDebug)
	log.Debug("shown")
	if lines := bytes.Count(out.Bytes(), []byte("\n")); lines != 1 || !bytes.Contains(out.Bytes(), []byte("shown")) {
		t.Errorf("output is %s", out.String())
	}
}

func TestWithKeepsTheContext(t *testing.T) {
	var out bytes.Buffer
	telemetry.NewLogger(&out, slog.LevelInfo, "orders", "dev").With("a", 1).WithGroup("g").InfoContext(traced(), "x", "b", 2)
	var line struct {
		A int `json:"a"`
		G struct {
			B         int    `json:"b"`
			RequestID string `json:"request_id"`
		} `json:"g"`
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.A != 1 || line.G.B != 2 || line.G.RequestID != "r-1" {
		t.Errorf("line is %s", out.String())
	}
}

// wholeLines fails the test on a write that is not exactly one line.
type wholeLines struct {
	t     *testing.T
	count int // without a lock: the logger must not write concurrently
}

func (w *wholeLines) Write(p []byte) (int, error) {
	w.count++
	if !json.Valid(p) || bytes.IndexByte(p, '\n') != len(p)-1 {
		w.t.Errorf("a write that is not one line: %q", p)
	}
	return len(p), nil
}

func TestOneWriteALine(t *testing.T) {
	w := &wholeLines{t: t}
	log := telemetry.NewLogger(w, slog.LevelInfo, "orders", "dev")
	ctx := traced()
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for i := range 50 {
				log.InfoContext(ctx, "line\nbreak", "i", i)
			}
		})
	}
	writers.Wait()
	if w.count != 400 {
		t.Errorf("%d writes for 400 lines", w.count)
	}
}

func BenchmarkLine(b *testing.B) {
	log := telemetry.NewLogger(io.Discard, slog.LevelInfo, "orders", "dev")
	ctx := traced()
	b.ReportAllocs()
	for b.Loop() {
		log.InfoContext(ctx, "request", "method", "GET", "status", 200)
	}
}

// calls are the calls of Write.
type calls struct {
	mu    sync.Mutex
	texts []string
}

func (c *calls) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts = append(c.texts, string(text))
	return len(text), nil
}

func TestPatientLinesAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var written calls
		log := telemetry.NewLogger(&written, slog.LevelInfo, "orders", "1.2.3")
		patient := telemetry.Patient(log).With("n", 1)
		messages := func() (messages [][]string) {
			written.mu.Lock()
			defer written.mu.Unlock()
			for _, text := range written.texts {
				var together []string
				for line := range strings.Lines(text) {
					var l struct{ Message string }
					if err := json.Unmarshal([]byte(line), &l); err != nil {
						t.Fatalf("%q: %v", line, err)
					}
					together = append(together, l.Message)
				}
				messages = append(messages, together)
			}
			return messages
		}
		patient.Info("a")
		patient.Info("b")
		want := [][]string(nil)
		if diff := cmp.Diff(want, messages()); diff != "" {
			t.Errorf("at first: %s", diff)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		want = append(want, []string{"a", "b"})
		if diff := cmp.Diff(want, messages()); diff != "" {
			t.Errorf("after a while: %s", diff)
		}
		patient.Info("c")
		patient.Warn("d")
		patient.Info("e")
		log.Info("f")
		log.Info("g")
		want = append(want, []string{"c", "d"}, []string{"e", "f"}, []string{"g"})
		if diff := cmp.Diff(want, messages()); diff != "" {
			t.Errorf("with lines that do not wait: %s", diff)
		}
		patient.Info("h")
		time.Sleep(time.Second)
		synctest.Wait()
		want = append(want, []string{"h"})
		if diff := cmp.Diff(want, messages()); diff != "" {
			t.Errorf("in the end: %s", diff)
		}
	})
}
