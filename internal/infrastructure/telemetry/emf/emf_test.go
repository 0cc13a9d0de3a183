package emf_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"order-processing-service/internal/infrastructure/telemetry/emf"
)

// measured is a writer with a meter that it reads.
type measured struct {
	metric.Meter

	t      *testing.T
	writer *emf.Writer
	out    bytes.Buffer
}

func measure(t *testing.T, dimensions map[string][][]string) *measured {
	t.Helper()
	m := &measured{t: t}
	m.writer = emf.New(emf.Config{
		Out: &m.out, Namespace: "Orders", Service: "orders-eu", Dimensions: dimensions,
		Skip: func(s attribute.Set) bool { return s.HasValue("probe") },
		Now:  func() time.Time { return time.UnixMilli(1_800_000_000_123) },
	})
	m.Meter = sdk.NewMeterProvider(sdk.WithReader(m.writer.Reader())).Meter("test")
	return m
}

// lines writes what was measured and returns the lines, each of which keeps to the specification.
func (m *measured) lines() []map[string]any {
	m.t.Helper()
	m.out.Reset()
	if err := m.writer.Write(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	var all []map[string]any
	for text := range strings.Lines(m.out.String()) {
		check(m.t, text)
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			m.t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}

// check holds a line against the rules of the specification: the schema, and that everything that is named is there.
func check(t *testing.T, text string) {
	t.Helper()
	file, err := os.Open("../../../../test/lambda/testdata/emf/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rules, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("emf.json", rules); err != nil {
		t.Fatal(err)
	}
	line, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.MustCompile("emf.json").Validate(line); err != nil {
		t.Errorf("%s: %v", text, err)
	}
}

func of(t *testing.T, line map[string]any, name string) any {
	t.Helper()
	v, ok := line[name]
	if !ok {
		t.Errorf("%s is missing in %v", name, line)
	}
	return v
}

func TestPointsOfTheSameAttributesAreOneLine(t *testing.T) {
	m := measure(t, map[string][][]string{"placed": {{}, {"origin"}}, "took": {{"origin"}, {"error"}}})
	placed, _ := m.Int64Counter("placed", metric.WithUnit("{order}"))
	took, _ := m.Float64Histogram("took", metric.WithUnit("s"))
	other, _ := m.Int64Counter("other")
	set := metric.WithAttributeSet(attribute.NewSet(attribute.String("origin", "new")))
	placed.Add(t.Context(), 3, set)
	placed.Add(t.Context(), 2, metric.WithAttributeSet(attribute.NewSet(attribute.String("probe", "yes"))))
	took.Record(t.Context(), 0.25, set)
	other.Add(t.Context(), 1) // is not asked for

	var got, want any
	lines := m.lines()
	if len(lines) != 1 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	got = lines[0]
	if err := json.Unmarshal([]byte(`{
		"service.name": "orders-eu", "origin": "new", "placed": 3, "took": 0.25,
		"_aws": {"Timestamp": 1800000000123, "CloudWatchMetrics": [
			{"Namespace": "Orders", "Dimensions": [["service.name"], ["service.name", "origin"]], "Metrics": [{"Name": "placed", "Unit": "Count"}]},
			{"Namespace": "Orders", "Dimensions": [["service.name", "origin"]], "Metrics": [{"Name": "took", "Unit": "Seconds"}]}
		]}
	}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	if lines := m.lines(); len(lines) != 0 {
		t.Errorf("what was written is written again: %v", lines)
	}
	placed.Add(t.Context(), 1, set)
	if lines := m.lines(); len(lines) != 1 || of(t, lines[0], "placed") != 1.0 {
		t.Errorf("after one more there is %v", lines)
	}
}

// TestManyValues has more values than a line may have.
func TestManyValues(t *testing.T) {
	m := measure(t, map[string][][]string{"took": {{}}})
	took, _ := m.Float64Histogram("took", metric.WithUnit("s"))
	var want []float64
	for i := range 250 {
		v := 0.001 * math.Pow(1.04, float64(i)) // up to 17 s
		want = append(want, v)
		took.Record(t.Context(), v)
	}
	lines := m.lines()
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3", len(lines))
	}
	var got []float64
	for _, line := range lines {
		values, ok := of(t, line, "took").([]any)
		if !ok || len(values) > 100 {
			t.Fatalf("a line has %v", line)
		}
		for _, v := range values {
			f, _ := v.(float64)
			got = append(got, f)
		}
	}
	slices.Sort(got)
	if len(got) != len(want) || got[0] < want[0] || got[249] > want[249] {
		t.Fatalf("%d values from %v to %v", len(got), got[0], got[len(got)-1])
	}
	for i := range want {
		if off := math.Abs(got[i]-want[i]) / want[i]; off > 0.1 {
			t.Errorf("value %d is %v, want about %v", i, got[i], want[i])
		}
	}
}

// TestManyMetrics has more metrics of the same attributes than a line may have.
func TestManyMetrics(t *testing.T) {
	dimensions := make(map[string][][]string)
	for i := range 150 {
		dimensions[name(i)] = [][]string{{}}
	}
	m := measure(t, dimensions)
	for n := range dimensions {
		counter, err := m.Int64Counter(n)
		if err != nil {
			t.Fatal(err)
		}
		counter.Add(t.Context(), 1)
	}
	lines := m.lines()
	if len(lines) != 2 {
		t.Errorf("%d lines, want 2", len(lines))
	}
	for n := range dimensions {
		if !slices.ContainsFunc(lines, func(line map[string]any) bool { return line[n] == 1.0 }) {
			t.Errorf("%s is missing", n)
		}
	}
}

func name(i int) string { return "n" + strconv.Itoa(i) }

func TestNothingToWrite(t *testing.T) {
	m := measure(t, map[string][][]string{"placed": {{}}, "age": {{"who"}}})
	placed, _ := m.Int64Counter("placed")
	placed.Add(t.Context(), 0)
	gauge, _ := m.Float64Gauge("age")
	gauge.Record(t.Context(), 1) // lacks the attribute
	if lines := m.lines(); len(lines) != 0 {
		t.Errorf("lines of nothing: %v", lines)
	}
	var none *emf.Writer
	if err := none.Write(t.Context()); err != nil {
		t.Error(err)
	}
}
