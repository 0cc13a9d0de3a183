//go:build unix

package lambda_test

import (
	"bytes"
	"crypto/md5" //nolint:gosec // SQS asks for it
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"

	"order-processing-service/test/lambda"
)

// series is a metric of CloudWatch by the names of its dimensions, sorted, with commas between them.
type series struct{ metric, dimensions string }

func seriesOf(metric string, dimensions []string) series {
	return series{metric, strings.Join(slices.Sorted(slices.Values(dimensions)), ",")}
}

// asked is what the template asks CloudWatch for, and the values that it names, as NAME=VALUE.
type asked struct {
	series map[series]string // where it stands
	values map[string]string
}

var (
	alarmOf     = regexp.MustCompile(`(?m)^  (\w+):\n    Type: AWS::CloudWatch::Alarm\n(?:      .*\n|    .*\n|\s*\n)*`)
	metricName  = regexp.MustCompile(`(?m)^ {6}MetricName: (\S+)$`)
	dimensionOf = regexp.MustCompile(`- \{Name: (\S+), Value: (!Ref )?(\S+)\}`)
	searched    = regexp.MustCompile(`^SEARCH\('\{\$\{Namespace\},([^}]+)\} MetricName="([^"]+)" "service\.name"="\$\{ServiceName\}"', '\w+', \d+\)$`)
)

// templateAsks reads deploy/observability/template.yaml.
func templateAsks(t *testing.T) asked {
	t.Helper()
	text := read(t, "../../deploy/observability/template.yaml")
	all := asked{map[series]string{}, map[string]string{}}
	for _, block := range alarmOf.FindAllStringSubmatch(text, -1) {
		metric := metricName.FindStringSubmatch(block[0])
		if metric == nil {
			t.Fatalf("%s has no metric", block[1])
		}
		var names []string
		for _, d := range dimensionOf.FindAllStringSubmatch(block[0], -1) {
			names = append(names, d[1])
			if d[2] == "" {
				all.values[d[1]+"="+d[3]] = block[1]
			}
		}
		all.series[seriesOf(metric[1], names)] = block[1]
	}
	widgets := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if !strings.HasPrefix(line, `{"type": "metric"`) {
			continue
		}
		widgets++
		var widget struct {
			Properties struct {
				Title   string  `json:"title"`
				Metrics [][]any `json:"metrics"`
			} `json:"properties"`
		}
		if err := json.Unmarshal([]byte(line), &widget, json.RejectUnknownMembers(false)); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, row := range widget.Properties.Metrics {
			all.addRow(t, widget.Properties.Title, row)
		}
	}
	if len(all.series) < 10 || widgets < 10 {
		t.Fatalf("%d metrics and %d widgets were found in the template", len(all.series), widgets)
	}
	return all
}

// addRow reads a row of a widget: a search, or a namespace, a metric, and dimensions with their values.
func (a asked) addRow(t *testing.T, title string, row []any) {
	t.Helper()
	if options, ok := row[0].(map[string]any); ok {
		found := searched.FindStringSubmatch(fmt.Sprint(options["expression"]))
		if found == nil {
			t.Fatalf("%s: can't read %v", title, options["expression"])
		}
		a.series[seriesOf(found[2], strings.Split(strings.ReplaceAll(found[1], `"`, ""), ","))] = title
		return
	}
	var names []string
	for i := 2; i+1 < len(row); i += 2 {
		name, value := fmt.Sprint(row[i]), fmt.Sprint(row[i+1])
		names = append(names, name)
		if value != "${ServiceName}" {
			a.values[name+"="+value] = title
		}
	}
	a.series[seriesOf(fmt.Sprint(row[1]), names)] = title
}

// emitted adds what the lines of a function give CloudWatch.
func (a asked) emitted(t *testing.T, lines []map[string]any) {
	t.Helper()
	for _, line := range lines {
		for name, value := range line {
			if text, ok := value.(string); ok {
				a.values[name+"="+text] = ""
			}
		}
		var metadata struct {
			CloudWatchMetrics []struct {
				Dimensions [][]string
				Metrics    []struct{ Name string }
			}
		}
		text, err := json.Marshal(line["_aws"])
		if err == nil {
			err = json.Unmarshal(text, &metadata, json.RejectUnknownMembers(false))
		}
		if err != nil {
			t.Fatalf("%v: %v", err, line)
		}
		for _, directive := range metadata.CloudWatchMetrics {
			for _, m := range directive.Metrics {
				for _, names := range directive.Dimensions {
					a.series[seriesOf(m.Name, names)] = ""
				}
			}
		}
	}
}

// TestDashboardNamesWhatIsWritten has functions do all that is measured, well and badly: each metric that the dashboard and the
// alarms of CloudWatch ask for is then in the log, with the dimensions that they ask for, and each of those values.
func TestDashboardNamesWhatIsWritten(t *testing.T) {
	wants, got := templateAsks(t), asked{map[series]string{}, map[string]string{}}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "data", "s3"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "s3", "orders-manifest"), nil, 0o600); err != nil { // where a folder should be
		t.Fatal(err)
	}
	r, letters := lambda.NewRuntime(t), deadLetters(t)
	f := lambda.Start(t, lambda.Config{Runtime: r, Dir: dir, Settings: map[string]string{
		"DELIVERY_MAX_ATTEMPTS": "2", "DELIVERY_BACKOFF_MIN": "1ms", "RATE_LIMIT": "1/h:12",
		"COMMANDS_DEAD_LETTER_QUEUE_URL": letters + "/1/letters", "AWS_ENDPOINT_URL": letters, "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	}})
	const order = `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":2.5}]}`
	id := placed(t, r.Invoke(t, post(t, "POST", "/orders", order)))
	for _, status := range []string{"PAID", "SHIPPED", "DELIVERED"} {
		r.Invoke(t, post(t, "PATCH", "/orders/"+id, `{"status":"`+status+`"}`))
	}
	r.Invoke(t, post(t, "PATCH", "/orders/"+placed(t, r.Invoke(t, post(t, "POST", "/orders", order))), `{"status":"CANCELED"}`))
	history := post(t, "POST", "/orders/batch", `{"orders":[{"customer_id":"c-1","placed_at":"2026-01-15T09:30:00Z",`+
		`"idempotency_key":"h-1","items":[{"sku":"TEA","quantity":1,"unit_price":2.5}]}]}`)
	r.Invoke(t, bytes.Replace(history, []byte(`"rawQueryString":""`), []byte(`"rawQueryString":"as_history=true"`), 1))
	for range 2 { // the dead letters take the second
		r.Invoke(t, batch(t, "queue", message{id: "m1", body: paid(id)}, message{id: "m2", body: "no command"}))
	}
	for range 3 {
		r.Invoke(t, recorded(t, "sweep"))
	}
	for range 12 {
		r.Invoke(t, post(t, "GET", "/orders", ""))
	}
	got.emitted(t, metricLines(t, f))

	r = lambda.NewRuntime(t)
	f = lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir(), Settings: map[string]string{
		"MONGO_URI": "mongodb://127.0.0.1:1/orders_db", "MONGO_TIMEOUT": "100ms",
	}})
	r.Invoke(t, post(t, "GET", "/orders", ""))
	got.emitted(t, metricLines(t, f))

	for _, s := range slices.SortedFunc(maps.Keys(wants.series), func(a, b series) int { return strings.Compare(a.metric+a.dimensions, b.metric+b.dimensions) }) {
		if _, ok := got.series[s]; !ok {
			t.Errorf("%s asks for %s by %s, which no function wrote", wants.series[s], s.metric, s.dimensions)
		}
	}
	for value, place := range wants.values {
		if _, ok := got.values[value]; !ok {
			t.Errorf("%s asks for %s, which no function wrote", place, value)
		}
	}
}

// deadLetters is an SQS that refuses the first message, and takes all others.
func deadLetters(t *testing.T) string {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		var sent struct{ MessageBody string }
		switch err := json.UnmarshalRead(r.Body, &sent, json.RejectUnknownMembers(false)); {
		case err != nil || calls.Add(1) == 1:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"__type":"com.amazonaws.sqs#AccessDeniedException","message":"not today"}`)
		default:
			fmt.Fprintf(w, `{"MessageId":"1","MD5OfMessageBody":"%x"}`, md5.Sum([]byte(sent.MessageBody))) //nolint:gosec // SQS asks for it
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
