package telemetry

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// object is a JSON object that is being written.
type object struct{ b []byte }

// group says where groups were opened.
type group struct {
	start, end int // of the text that opens them
	count      int
}

// open begins groups within each other.
func (o *object) open(names ...string) group {
	g := group{start: len(o.b), count: len(names)}
	for _, name := range names {
		o.key(name)
		o.b = append(o.b, '{')
	}
	g.end = len(o.b)
	return g
}

// close ends groups, or takes them back if nothing is in them.
func (o *object) close(g group) {
	if len(o.b) == g.end {
		o.b = o.b[:g.start]
		return
	}
	o.brackets(g.count)
}

func (o *object) brackets(count int) {
	for range count {
		o.b = append(o.b, '}')
	}
}

// attr adds an attribute. A group without a name adds its members, one without members nothing.
func (o *object) attr(a slog.Attr) {
	a.Value = a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return
	}
	if a.Value.Kind() != slog.KindGroup {
		o.key(a.Key)
		o.value(a.Value)
		return
	}
	var g group
	if a.Key == "" {
		g = o.open()
	} else {
		g = o.open(a.Key)
	}
	for _, member := range a.Value.Group() {
		o.attr(member)
	}
	o.close(g)
}

func (o *object) key(name string) {
	if n := len(o.b); n == 0 || o.b[n-1] != '{' { // a prefix begins behind other members
		o.b = append(o.b, ',')
	}
	o.string(name)
	o.b = append(o.b, ':')
}

// string appends s as a JSON string. Most strings need no escaping, which is quickly found.
func (o *object) string(s string) {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			start := len(o.b)
			o.b, _ = jsontext.AppendQuote(o.b, s) // its only error is invalid UTF-8, which it has replaced
			o.escape(start)
			return
		}
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, s...)
	o.b = append(o.b, '"')
}

// escape escapes the signs of the JSON from start that are unseen: it says the same, but who reads it as text sees what it says.
func (o *object) escape(start int) {
	text := o.b[start:]
	if !slices.ContainsFunc(text, func(c byte) bool { return c >= 0x7f }) || !bytes.ContainsFunc(text, unseen) {
		return
	}
	o.b = o.b[:start]
	for _, r := range string(text) { // which is a copy
		switch high, low := utf16.EncodeRune(r); {
		case !unseen(r):
			o.b = utf8.AppendRune(o.b, r)
		case high == utf8.RuneError:
			o.b = fmt.Appendf(o.b, `\u%04x`, r)
		default:
			o.b = fmt.Appendf(o.b, `\u%04x\u%04x`, high, low)
		}
	}
}

// unseen tells of a sign that is none by itself: a control character, a format character, which may turn around the direction of what
// follows, or one that parts lines or paragraphs. JSON has the first of them, up to U+001F, escaped anyway.
func unseen(r rune) bool {
	return r >= 0x7f && (r <= 0x9f || r == 0x2028 || r == 0x2029 || unicode.Is(unicode.Cf, r))
}

// timestamp adds the time of the line: RFC 3339 in UTC with milliseconds, of the same width in every line.
func (o *object) timestamp(t time.Time) {
	o.key("timestamp")
	o.b = append(o.b, '"')
	o.b = t.UTC().AppendFormat(o.b, time.RFC3339) // a form that the standard library writes without reading a layout
	point := len(o.b) - 1                         // in the place of the Z
	o.b = strconv.AppendInt(o.b[:point], int64(1_000+t.Nanosecond()/int(time.Millisecond)), 10)
	o.b[point] = '.' // in the place of the thousand
	o.b = append(o.b, 'Z', '"')
}

func (o *object) value(v slog.Value) {
	switch v.Kind() {
	case slog.KindString:
		o.string(v.String())
	case slog.KindInt64:
		o.b = strconv.AppendInt(o.b, v.Int64(), 10)
	case slog.KindUint64:
		o.b = strconv.AppendUint(o.b, v.Uint64(), 10)
	case slog.KindFloat64:
		o.float(v.Float64())
	case slog.KindBool:
		o.b = strconv.AppendBool(o.b, v.Bool())
	case slog.KindDuration:
		o.b = strconv.AppendInt(o.b, int64(v.Duration()), 10)
	case slog.KindTime:
		o.b = append(o.b, '"')
		o.b = v.Time().AppendFormat(o.b, time.RFC3339Nano)
		o.b = append(o.b, '"')
	default:
		o.any(v.Any())
	}
}

// float appends a number as JavaScript would, and what is no number by its name.
func (o *object) float(f float64) {
	format := byte('f')
	switch size := math.Abs(f); {
	case math.IsNaN(f), math.IsInf(f, 0):
		o.string(strconv.FormatFloat(f, 'g', -1, 64))
		return
	case size != 0 && (size < 1e-6 || size >= 1e21):
		format = 'e'
	}
	o.b = strconv.AppendFloat(o.b, f, format, -1, 64)
}

// any appends a value of another type: an error by its text, the rest as the standard library's JSON has it. A value
// that can't be written, even one that panics, leaves a text that says so.
func (o *object) any(v any) {
	start := len(o.b)
	defer func() {
		if p := recover(); p != nil {
			o.b = o.b[:start]
			if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
				o.string("<nil>")
			} else {
				o.string(fmt.Sprint("!PANIC: ", p))
			}
		}
	}()
	switch v := v.(type) {
	case interface{ AppendJSON(dst []byte) []byte }:
		o.b = v.AppendJSON(o.b)
		o.escape(start)
		return
	case json.Marshaler: // also if it is an error
	case error:
		o.string(v.Error())
		return
	}
	text, err := json.Marshal(v, jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false))
	if err != nil {
		o.string("!ERROR:" + err.Error())
		return
	}
	o.b = append(o.b, text...)
	o.escape(start)
}
