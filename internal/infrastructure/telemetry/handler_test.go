package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"pgregory.net/rapid"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/infrastructure/telemetry"
)

func TestHandlerKeepsSlogsRules(t *testing.T) {
	var out bytes.Buffer
	newHandler := func(*testing.T) slog.Handler {
		out.Reset()
		return telemetry.NewLogger(&out, slog.LevelInfo, "orders", "dev").Handler()
	}
	slogtest.Run(t, newHandler, func(t *testing.T) map[string]any {
		t.Helper()
		line := object(t, out.Bytes())
		for ours, slogs := range map[string]string{"timestamp": slog.TimeKey, "message": slog.MessageKey} {
			if v, ok := line[ours]; ok {
				delete(line, ours)
				line[slogs] = v
			}
		}
		return line
	})
}

// object reads a line, which must be one JSON object.
func object(t rapid.TB, line []byte) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(line, &o); err != nil || bytes.IndexByte(line, '\n') != len(line)-1 {
		t.Fatalf("not one line with a JSON object: %q: %v", line, err)
	}
	return o
}

type (
	broken   struct{}
	panicky  struct{}
	appender string
	resolved struct{ slog.Value }
)

func (broken) MarshalJSON() ([]byte, error) { return nil, errors.New("no form") }

func (*panicky) MarshalJSON() ([]byte, error) { panic("no\nform") }

func (a appender) AppendJSON(dst []byte) []byte { return append(dst, a...) }

func (r resolved) LogValue() slog.Value { return r.Value }

func TestValues(t *testing.T) {
	type pair struct {
		A int      `json:"a"`
		B []string `json:"b,omitempty"`
	}
	tests := map[string]struct {
		value any
		want  string
	}{
		"text":           {"a<b>&\"\\\t\x00\x7fé\u2028", `"a<b>&\"\\\t\u0000\u007fé\u2028"`},
		"invalid UTF-8":  {"a\xffb", "\"a\uFFFDb\""},
		"whole number":   {int64(math.MinInt64), "-9223372036854775808"},
		"large number":   {uint64(math.MaxUint64), "18446744073709551615"},
		"fraction":       {1.25, "1.25"},
		"tiny fraction":  {1e-7, "1e-07"},
		"huge fraction":  {1e21, "1e+21"},
		"no number":      {math.NaN(), `"NaN"`},
		"infinity":       {math.Inf(-1), `"-Inf"`},
		"truth":          {true, "true"},
		"duration":       {time.Microsecond, "1000"},
		"time":           {time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), `"2026-01-02T03:04:05.000000006Z"`},
		"nil":            {nil, "null"},
		"struct":         {pair{A: 1, B: []string{"<x>"}}, `{"a":1,"b":["<x>"]}`},
		"map":            {map[string]int{"b": 2, "a": 1}, `{"a":1,"b":2}`},
		"error":          {io.ErrUnexpectedEOF, `"unexpected EOF"`},
		"marshaler":      {json.RawMessage("{\n\"a\": 1}"), `{"a":1}`},
		"level":          {slog.LevelWarn, `"WARN"`},
		"appender":       {appender(`[1]`), `[1]`},
		"log valuer":     {resolved{slog.IntValue(3)}, "3"},
		"group":          {resolved{slog.GroupValue(slog.Int("a", 1), slog.Group("b", slog.Int("c", 2)))}, `{"a":1,"b":{"c":2}}`},
		"cannot be":      {make(chan int), `"!ERROR:`},
		"fails":          {broken{}, `"!ERROR:`},
		"panics":         {&panicky{}, `"!PANIC: no\nform"`},
		"nil that fails": {(*panicky)(nil), "null"},
		"nil error":      {error((*json.SyntaxError)(nil)), `"<nil>"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			telemetry.NewLogger(&out, slog.LevelInfo, "orders", "dev").Info("x", "before", 1, "v", tt.value, "after", 2)
			object(t, out.Bytes())
			if _, got, _ := strings.Cut(out.String(), `"before":1,"v":`); !strings.HasPrefix(got, tt.want) {
				t.Errorf("value is %s, want %s", got, tt.want)
			}
		})
	}
}

// Whatever is logged, through whatever groups, a line is one JSON object that ends at its line break.
func TestEveryLineIsOneObject(t *testing.T) {
	hostile := rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", "{", "}", ",", `"`, `\`, "\n", "\r\n", "\u2028", "\xff\xfe", strings.Repeat("\x01é\"", 50_000)}),
	)
	var value *rapid.Generator[slog.Value]
	value = rapid.OneOf(
		rapid.Map(hostile, slog.StringValue),
		rapid.Map(rapid.Float64(), slog.Float64Value),
		rapid.Map(rapid.Int64(), slog.Int64Value),
		rapid.Map(hostile, func(s string) slog.Value { return slog.AnyValue(errors.New(s)) }),
		rapid.Map(hostile, func(s string) slog.Value { return slog.AnyValue(json.RawMessage(s)) }),
		rapid.Map(hostile, func(s string) slog.Value { return slog.AnyValue(map[string]any{s: []string{s}}) }),
		rapid.Deferred(func() *rapid.Generator[slog.Value] {
			return rapid.Map(rapid.MapOfN(hostile, value, 0, 3), func(m map[string]slog.Value) slog.Value {
				var members []slog.Attr
				for k, v := range m {
					members = append(members, slog.Attr{Key: k, Value: v})
				}
				return slog.GroupValue(members...)
			})
		}),
	)
	attr := rapid.Custom(func(t *rapid.T) slog.Attr {
		return slog.Attr{Key: hostile.Draw(t, "key"), Value: value.Draw(t, "value")}
	})
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		h := telemetry.NewLogger(&out, slog.LevelInfo, hostile.Draw(t, "service"), hostile.Draw(t, "version")).Handler()
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "group") {
				h = h.WithGroup(hostile.Draw(t, "name"))
			} else {
				h = h.WithAttrs(rapid.SliceOfN(attr, 0, 3).Draw(t, "with"))
			}
		}
		ctx := correlation.WithRequestID(context.Background(), hostile.Draw(t, "request"))
		r := slog.NewRecord(time.Now(), slog.LevelInfo, hostile.Draw(t, "message"), 0)
		r.AddAttrs(rapid.SliceOfN(attr, 0, 4).Draw(t, "attributes")...)
		if err := h.Handle(ctx, r); err != nil {
			t.Fatalf("Handle: %v", err)
		}
		object(t, out.Bytes())
	})
}

// Loggers that come of the same one do not write into each other's fields.
func TestBranches(t *testing.T) {
	var out bytes.Buffer
	root := telemetry.NewLogger(&out, slog.LevelInfo, "orders", "dev").WithGroup("g").With("a", 1)
	left, right := root.WithGroup("l").With("b", 2), root.WithGroup("r").With("c", 3)
	for name, log := range map[string]*slog.Logger{`"l":{"b":2}}}`: left, `"r":{"c":3}}}`: right} {
		out.Reset()
		log.Info("x")
		if got := out.String(); !strings.HasSuffix(got, `"g":{"a":1,`+name+"\n") {
			t.Errorf("line is %s, want it to end in %s", got, name)
		}
	}
}
