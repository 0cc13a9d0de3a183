package e2e_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// parse reads JSON. Numbers keep their text, so that 25.00 is not 25.
func parse(t *testing.T, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return value
}

// at returns the value at a path such as items.0.sku.
func at(t *testing.T, body []byte, path string) any {
	t.Helper()
	value := parse(t, body)
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				t.Fatalf("no %s in\n%s", path, body)
			}
			value = v[i]
		default:
			t.Fatalf("no %s in\n%s", path, body)
		}
	}
	return value
}

// list returns the array at a path.
func list(t *testing.T, body []byte, path string) []any {
	t.Helper()
	values, ok := at(t, body, path).([]any)
	if !ok {
		t.Fatalf("%s is no array in\n%s", path, body)
	}
	return values
}

// text returns the text, or the number as text, at a path.
func text(t *testing.T, body []byte, path string) string {
	t.Helper()
	switch v := at(t, body, path).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		t.Fatalf("%s is %v in\n%s", path, v, body)
		return ""
	}
}

// number returns the whole number at a path.
func number(t *testing.T, body []byte, path string) int {
	t.Helper()
	n, err := strconv.Atoi(text(t, body, path))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// placeholders stand in an expected text for what can't be known before.
var placeholders = map[string]*regexp.Regexp{
	"<id>":    regexp.MustCompile(`^[0-9a-f]{24}$`),
	"<event>": regexp.MustCompile(`^[0-9a-f]{24}-[1-9]\d*$`),
	"<time>":  regexp.MustCompile(`^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{3}Z$`),
	"<text>":  regexp.MustCompile(`(?s)^.+$`),
}

// differ compares JSON texts and returns the difference. With part, the objects in got may have more members than those
// in want.
func differ(t *testing.T, want string, got []byte, part bool) string {
	t.Helper()
	wanted := parse(t, []byte(want))
	return cmp.Diff(wanted, alike(wanted, parse(t, got), part))
}

// alike returns got with what want does not mind made equal to want.
func alike(want, got any, part bool) any {
	switch w := want.(type) {
	case string:
		if pattern, ok := placeholders[w]; ok {
			if g, ok := got.(string); ok && pattern.MatchString(g) {
				return w
			}
		}
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return got
		}
		same := make(map[string]any, len(g))
		for name, value := range g {
			if wanted, known := w[name]; known || !part {
				same[name] = alike(wanted, value, part)
			}
		}
		return same
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return got
		}
		same := make([]any, len(g))
		for i := range g {
			same[i] = alike(w[i], g[i], part)
		}
		return same
	}
	return got
}

func mustMarshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func repeat(text string, times int) string { return strings.Repeat(text, times) }

// members returns an object with so many members: k0, k1 and so on.
func members(count int) string {
	var b strings.Builder
	for i := range count {
		b.WriteString(`, "k` + strconv.Itoa(i) + `": "v"`)
	}
	return "{" + strings.TrimPrefix(b.String(), ", ") + "}"
}

var idPattern = regexp.MustCompile(`[0-9a-f]{24}`)
