//go:build unix

package lambda_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"order-processing-service/test/lambda"
)

// metricLines are the lines of the Embedded Metric Format in a log, each of which keeps to the specification: its schema, and that
// every metric and dimension that is named is there, as what it must be.
func metricLines(t *testing.T, f *lambda.Function) []map[string]any {
	t.Helper()
	rules, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, "testdata/emf/schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("emf.json", rules); err != nil {
		t.Fatal(err)
	}
	schema := compiler.MustCompile("emf.json")
	var all []map[string]any
	for text := range strings.Lines(read(t, f.Log)) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("a line of the log is no JSON: %v: %s", err, text)
		}
		if line["_aws"] == nil {
			continue
		}
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err == nil {
			err = schema.Validate(document)
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		named(t, text, line)
		all = append(all, line)
	}
	return all
}

// named checks that what a line's directives name is in it.
func named(t *testing.T, text string, line map[string]any) {
	t.Helper()
	var directives struct {
		AWS struct {
			CloudWatchMetrics []struct {
				Dimensions [][]string
				Metrics    []struct{ Name string }
			}
		} `json:"_aws"`
	}
	if err := json.Unmarshal([]byte(text), &directives); err != nil {
		t.Fatal(err)
	}
	for _, d := range directives.AWS.CloudWatchMetrics {
		for _, key := range slices.Concat(d.Dimensions...) {
			if _, ok := line[key].(string); !ok {
				t.Errorf("the dimension %s is no text of %s", key, text)
			}
		}
		for _, m := range d.Metrics {
			switch line[m.Name].(type) {
			case float64, []any:
			default:
				t.Errorf("the metric %s is no number of %s", m.Name, text)
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sum adds up what the lines say of a metric where they have all these attributes; of a histogram it counts the values.
func sum(lines []map[string]any, metric string, attributes map[string]string) float64 {
	var total float64
	for _, line := range lines {
		fits := true
		for key, value := range attributes {
			fits = fits && line[key] == value
		}
		if !fits {
			continue
		}
		switch v := line[metric].(type) {
		case float64:
			if strings.HasSuffix(metric, ".duration") {
				v = 1
			}
			total += v
		case []any:
			total += float64(len(v))
		}
	}
	return total
}

// TestMetricsInTheLog holds the metrics that CloudWatch finds in the log against what was done.
func TestMetricsInTheLog(t *testing.T) {
	r := lambda.NewRuntime(t)
	f := lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir(), Settings: map[string]string{"OTEL_SERVICE_NAME": "orders-eu"}})
	id := placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
	placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
	if got := metricLines(t, f); sum(got, "orders.placed", nil) != 2 {
		t.Errorf("before the answer %v orders are counted, want 2", sum(got, "orders.placed", nil))
	}
	r.Invoke(t, post(t, "GET", "/nowhere", ""))
	r.Invoke(t, batch(t, "queue", message{id: "m1", body: paid(id)}))
	r.Invoke(t, batch(t, "queue", message{id: "m2", body: sent(id)}))
	before := len(metricLines(t, f))
	for range 3 {
		r.Invoke(t, post(t, "GET", "/health", ""))
		r.Invoke(t, post(t, "GET", "/health/ready", ""))
	}
	if after := len(metricLines(t, f)); after != before {
		t.Errorf("health checks made %d lines", after-before)
	}
	for _, line := range metricLines(t, f) {
		if line["orders.delivery.waiting"] != nil {
			t.Error("an invocation that is no sweep asks the store what waits")
		}
	}
	r.Invoke(t, recorded(t, "sweep"))

	got := metricLines(t, f)
	for _, want := range []struct {
		metric     string
		attributes map[string]string
		value      float64
	}{
		{"orders.placed", map[string]string{"orders.origin": "new", "service.name": "orders-eu"}, 2},
		{"orders.moved", map[string]string{"orders.status": "paid"}, 1},
		{"orders.commands", map[string]string{"orders.outcome": "applied"}, 2},
		{"orders.moved", map[string]string{"orders.status": "shipped"}, 1},
		{"http.server.request.duration", map[string]string{"http.route": "/orders", "http.response.status_code": "201"}, 2},
		{"http.server.request.duration", map[string]string{"http.response.status_code": "404"}, 1},
		{"orders.delivery.told", map[string]string{"orders.subscriber": "events"}, float64(strings.Count(read(t, f.Log), `"DetailType"`))},
	} {
		if n := sum(got, want.metric, want.attributes); n != want.value {
			t.Errorf("%s of %v is %v, want %v", want.metric, want.attributes, n, want.value)
		}
	}
	swept := false
	for _, line := range got {
		if waiting, ok := line["orders.delivery.waiting"]; ok {
			swept = waiting == 0.0 && line["orders.delivery.parked"] == 0.0 && line["orders.delivery.oldest.age"] == 0.0
		}
	}
	if !swept {
		t.Error("the sweep does not say that nothing waits")
	}
}

// TestMetricsToACollector has a collector beside the function: it gets metrics before an answer, when it is time, and at the end.
func TestMetricsToACollector(t *testing.T) {
	var sent atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		if body, err := io.ReadAll(q.Body); err == nil && len(body) > 0 && q.URL.Path == "/v1/metrics" {
			sent.Add(1)
		}
	}))
	defer collector.Close()
	inTime(t, func() string {
		sent.Store(0)
		r := lambda.NewRuntime(t)
		f := lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir(), Settings: map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_METRIC_EXPORT_INTERVAL": "86400000",
		}})
		for n := range 2 {
			placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
			if got := sent.Load(); got != 1 {
				return fmt.Sprintf("after %d answers the collector has got metrics %d times, not once", n+1, got)
			}
		}
		f.Terminate(t)
		if code, stderr := f.Wait(t); code != 0 {
			return fmt.Sprintf("it ends with %d: %s", code, stderr)
		}
		if got := sent.Load(); got != 2 {
			return fmt.Sprintf("at the end the collector has got metrics %d times, not twice", got)
		}
		return ""
	})
}

// TestNoMetricsInTheLog has an operator who wants none.
func TestNoMetricsInTheLog(t *testing.T) {
	inTime(t, func() string {
		r := lambda.NewRuntime(t)
		f := lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir(), Settings: map[string]string{"METRICS_EMF": "off"}})
		placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
		f.Terminate(t)
		code, stderr := f.Wait(t)
		if got := metricLines(t, f); len(got) != 0 {
			t.Errorf("there are metrics all the same: %v", got)
		}
		if code != 0 {
			return fmt.Sprintf("it ends with %d: %s", code, stderr)
		}
		return ""
	})
}
