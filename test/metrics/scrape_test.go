// Package metrics_test holds what the running program measures against what was done with it: over /metrics, and as a collector
// gets it.
package metrics_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/test/program"
)

// patience is how long something may take that must happen.
const patience = 30 * time.Second

const tea = `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":2,"unit_price":12.50}]}`

// running is a program with its admin address.
type running struct {
	*program.Program

	admin  string
	client *http.Client
}

// start starts the program with settings on top of those that every program here gets.
func start(t *testing.T, settings map[string]string) *running {
	t.Helper()
	all := map[string]string{"EVENTS": "simulated", "MANIFESTS": "none", "LOG_LEVEL": "INFO", "DELIVERY_POLL_INTERVAL": "20ms"}
	maps.Copy(all, settings)
	p := program.Start(t, t.TempDir(), all)
	r := &running{Program: p, client: &http.Client{Timeout: patience, Transport: &http.Transport{}}}
	t.Cleanup(r.client.CloseIdleConnections)
	for limit := time.After(patience); r.admin == ""; {
		for text := range strings.Lines(p.Log.String()) {
			var line struct{ Message, URL string }
			if err := json.Unmarshal([]byte(text), &line); err == nil && line.Message == "admin endpoints" {
				r.admin = line.URL
			}
		}
		tick(t, limit, "the admin address")
	}
	return r
}

// tick waits a moment, and ends the test when there was patience enough.
func tick(t *testing.T, limit <-chan time.Time, what string) {
	t.Helper()
	select {
	case <-time.After(5 * time.Millisecond):
	case <-limit:
		t.Fatalf("%s did not come", what)
	}
}

// do sends a request, reads the whole answer, and wants its status; 0 for any. Headers are "Name: value".
func (r *running) do(t *testing.T, status int, method, url, body string, headers ...string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if status != 0 && response.StatusCode != status {
		t.Fatalf("%s %s: %s %s", method, url, response.Status, text)
	}
	return string(text)
}

// scrape reads /metrics: the values by name and labels, as in orders_placed_total{orders_origin="new"}. A histogram has its count.
func (r *running) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(r.do(t, 200, http.MethodGet, r.admin+"/metrics", "")))
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for name, family := range families {
		for _, m := range family.GetMetric() {
			values[name+labels(m)] = value(m)
		}
	}
	return values
}

func labels(m *dto.Metric) string {
	var all []string
	for _, l := range m.GetLabel() {
		all = append(all, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ",") + "}"
}

func value(m *dto.Metric) float64 {
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetHistogram() != nil:
		return float64(m.GetHistogram().GetSampleCount())
	default:
		return m.GetGauge().GetValue()
	}
}

// within waits until /metrics has all these values.
func (r *running) within(t *testing.T, want map[string]float64) {
	t.Helper()
	for limit := time.After(patience); ; {
		got := r.scrape(t)
		var wrong []string
		for name, v := range want {
			if g, ok := got[name]; !ok || g != v {
				wrong = append(wrong, fmt.Sprintf("%s is %v (there: %v), want %v", name, g, ok, v))
			}
		}
		if wrong == nil {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-limit:
			t.Fatal(strings.Join(wrong, "\n"))
		}
	}
}

func TestWhatWasDoneIsCounted(t *testing.T) {
	r := start(t, nil)
	var placed struct{ ID string }
	for i := range 3 {
		text := r.do(t, 201, "POST", r.URL+"/orders", tea, fmt.Sprintf("Idempotency-Key: key-%d", i))
		if err := json.Unmarshal([]byte(text), &placed); err != nil {
			t.Fatal(err)
		}
	}
	r.do(t, 0, "POST", r.URL+"/orders", tea, "Idempotency-Key: key-1") // a repeat makes no order
	r.do(t, 422, "POST", r.URL+"/orders", `{"customer_id":"c-1","items":[]}`)
	r.do(t, 200, "POST", r.URL+"/orders/batch", `{"orders":[`+tea+`,`+tea+`,{"customer_id":"c","items":[]}]}`)
	order := r.URL + "/orders/" + placed.ID
	r.do(t, 200, "PATCH", order, `{"status":"PAID"}`, "Idempotency-Key: pay")
	r.do(t, 200, "PATCH", order, `{"status":"PAID"}`, "Idempotency-Key: pay") // a repeat moves nothing
	r.do(t, 409, "PATCH", order, `{"status":"DELIVERED"}`)
	r.do(t, 200, "PATCH", order, `{"status":"CANCELED"}`)
	r.do(t, 200, "GET", order, "")
	r.do(t, 404, "GET", r.URL+"/nowhere/at/all", "")
	r.do(t, 405, "BREW", r.URL+"/orders", "")

	r.within(t, map[string]float64{
		`orders_placed_total{orders_origin="new"}`:      5,
		`orders_placed_total{orders_origin="history"}`:  0,
		`orders_moved_total{orders_status="paid"}`:      1,
		`orders_moved_total{orders_status="canceled"}`:  1,
		`orders_moved_total{orders_status="delivered"}`: 0,
		`http_server_request_duration_seconds{http_request_method="POST",http_response_status_code="422",http_route="/orders",url_scheme="http"}`:             1,
		`http_server_request_duration_seconds{http_request_method="GET",http_response_status_code="200",http_route="/orders/{order_id}",url_scheme="http"}`:   1,
		`http_server_request_duration_seconds{http_request_method="PATCH",http_response_status_code="409",http_route="/orders/{order_id}",url_scheme="http"}`: 1,
		`http_server_request_duration_seconds{http_request_method="PATCH",http_response_status_code="200",http_route="/orders/{order_id}",url_scheme="http"}`: 3,
		`http_server_request_duration_seconds{http_request_method="GET",http_response_status_code="404",url_scheme="http"}`:                                   1,
		`http_server_request_duration_seconds{http_request_method="_OTHER",http_response_status_code="405",url_scheme="http"}`:                                1,
		`http_server_active_requests{http_request_method="POST",url_scheme="http"}`:                                                                           0,
		`db_client_operation_duration_seconds{db_operation_name="create",db_system_name="sqlite"}`:                                                            5,
		`orders_delivery_told_total{orders_subscriber="events"}`:                                                                                              eventsOf(t, r),
		`orders_delivery_parks_total{orders_subscriber="events"}`:                                                                                             0,
		`orders_delivery_in_hand{orders_subscriber="events"}`:                                                                                                 0,
		`orders_delivery_subscriber_away{orders_subscriber="events"}`:                                                                                         0,
	})
	got := r.scrape(t)
	if n := got[`orders_store_commit_duration_seconds{db_operation_name="commit",db_system_name="sqlite"}`]; n < 5 {
		t.Errorf("%v commits took a time", n)
	}
	if n := got[`orders_delivery_duration_seconds{orders_subscriber="events"}`]; n < 1 {
		t.Errorf("%v deliveries took a time", n)
	}
	if n := got[`orders_http_connections{http_connection_state="active"}`] + got[`orders_http_connections{http_connection_state="idle"}`]; n < 1 {
		t.Errorf("%v connections are open", n)
	}
}

// eventsOf counts the events of all orders, as their timelines have them.
func eventsOf(t *testing.T, r *running) float64 {
	t.Helper()
	var list struct{ Orders []struct{ ID string } }
	if err := json.Unmarshal([]byte(r.do(t, 200, "GET", r.URL+"/orders", "")), &list); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, o := range list.Orders {
		var timeline struct{ Events []struct{ ID string } }
		if err := json.Unmarshal([]byte(r.do(t, 200, "GET", r.URL+"/orders/"+o.ID+"/timeline", "")), &timeline); err != nil {
			t.Fatal(err)
		}
		n += len(timeline.Events)
	}
	return float64(n)
}

var labelName = regexp.MustCompile(`([a-z_]+)="`)

// TestEverythingIsThere holds /metrics against the table of what is measured, in both directions.
func TestEverythingIsThere(t *testing.T) {
	r := start(t, nil)
	r.do(t, 201, "POST", r.URL+"/orders", tea)
	r.within(t, map[string]float64{
		`orders_delivery_told_total{orders_subscriber="events"}`: 1,
		`orders_delivery_in_hand{orders_subscriber="events"}`:    0, // so that it was written down, after a first commit was counted
	})
	listed, label := map[string]bool{"target_info": true}, make(map[string]bool)
	for _, i := range bootstrap.Instruments() {
		names, err := i.PrometheusNames()
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(names[0], "_bucket")
		listed[name] = true
		for _, key := range i.Attributes {
			label[name+" "+strings.ReplaceAll(key, ".", "_")] = true
		}
	}
	there := make(map[string]bool)
	for series := range r.scrape(t) {
		name, labels, _ := strings.Cut(series, "{")
		if there[name] = true; strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") || name == "target_info" {
			continue
		}
		if !listed[name] {
			t.Errorf("%s is not in the table", name)
		}
		for _, key := range labelName.FindAllStringSubmatch(labels, -1) {
			if !label[name+" "+key[1]] {
				t.Errorf("the table does not know the label %s of %s", key[1], name)
			}
		}
	}
	elsewhere := map[string]string{"orders_commands_total": "orders worker", "orders_import_records_total": "orders import"}
	for name := range listed {
		if there[name] == (elsewhere[name] != "") {
			t.Errorf("%s is there: %v", name, there[name])
		}
	}
}

// TestWhatWaitsIsCounted parks a delivery that can't be made, and reads that something has been waiting since then.
func TestWhatWaitsIsCounted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s3"), nil, 0o600); err != nil { // where there should be a folder
		t.Fatal(err)
	}
	r := start(t, map[string]string{
		"DATA_DIR": dir, "MANIFESTS": "simulated", "EVENTS": "none", "DELIVERY_MAX_ATTEMPTS": "1", "DELIVERY_BACKOFF_MIN": "1ms",
	})
	r.do(t, 201, "POST", r.URL+"/orders", tea)
	parked := `orders_delivery_parked{orders_subscriber="manifests"}`
	waiting := `orders_delivery_waiting{orders_subscriber="manifests"}`
	for limit := time.After(patience); ; tick(t, limit, "what is not told") {
		got := r.scrape(t)
		if age := got[`orders_delivery_oldest_age_seconds{orders_subscriber="manifests"}`]; got[parked]+got[waiting] == 1 {
			if (age > 0) != (got[waiting] == 1) {
				t.Errorf("the oldest has waited for %v s, with %v waiting", age, got[waiting])
			}
			return
		}
	}
}

// TestNothingOfACallersBecomesALabel sends requests that differ in all that a caller can make up.
func TestNothingOfACallersBecomesALabel(t *testing.T) {
	r := start(t, nil)
	before := len(r.scrape(t))
	const marker = "xq7z"
	for i := range 1_000 {
		made := fmt.Sprintf("%s%d", marker, i)
		switch i % 5 {
		case 0:
			r.do(t, 0, "GET", r.URL+"/"+made, "")
		case 1:
			r.do(t, 0, strings.ToUpper(made), r.URL+"/orders", "")
		case 2:
			r.do(t, 0, "GET", r.URL+"/orders?"+made+"=1", "")
		case 3:
			r.do(t, 0, "GET", r.URL+"/orders/"+made, "", "X-Request-Id: "+made, "User-Agent: "+made)
		case 4:
			r.do(t, 0, "POST", r.URL+"/orders", strings.ReplaceAll(tea, "c-1", made), "Idempotency-Key: "+made, "Origin: https://"+made)
		}
	}
	got := r.scrape(t)
	if more := len(got) - before; more > 20 {
		t.Errorf("1,000 requests made %d series", more)
	}
	for name := range got {
		if strings.Contains(strings.ToLower(name), marker) {
			t.Errorf("a caller wrote %s", name)
		}
	}
	if n := got[`http_server_request_duration_seconds{http_request_method="_OTHER",http_response_status_code="405",url_scheme="http"}`]; n != 200 {
		t.Errorf("%v requests had another method, want 200", n)
	}
}

// TestWhoIsTurnedAwayIsCounted has a caller who asks too often.
func TestWhoIsTurnedAwayIsCounted(t *testing.T) {
	r := start(t, map[string]string{"RATE_LIMIT": "2/h"})
	for range 2 {
		r.do(t, 200, "GET", r.URL+"/orders", "")
	}
	for range 3 {
		r.do(t, 429, "GET", r.URL+"/orders", "")
	}
	r.within(t, map[string]float64{
		`orders_admission_refused_total{orders_admission_reason="rate_limit"}`: 3, `orders_admission_refused_total{orders_admission_reason="queue_full"}`: 0,
		`http_server_request_duration_seconds{http_request_method="GET",http_response_status_code="429",http_route="/orders",url_scheme="http"}`: 3,
	})
}

func TestFormats(t *testing.T) {
	r := start(t, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.admin+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "application/openmetrics-text") || response.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("it is %s, %s", response.Header.Get("Content-Type"), response.Header.Get("Content-Encoding"))
	}
	unzipped, err := gzip.NewReader(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var last string
	for lines := bufio.NewScanner(unzipped); lines.Scan(); {
		last = lines.Text()
	}
	if last != "# EOF" {
		t.Errorf("the last line is %q", last)
	}
	r.do(t, 405, "POST", r.admin+"/metrics", "")
	r.do(t, 404, "GET", r.URL+"/metrics", "") // never at the public address
}

// TestReadiness is that of the store, though nobody asks for /health/ready.
func TestReadiness(t *testing.T) {
	there := start(t, nil)
	there.within(t, map[string]float64{"orders_ready": 1})
	away := start(t, map[string]string{
		"MONGO_URI": "mongodb://127.0.0.1:1/orders_db", "MONGO_TIMEOUT": "100ms", "EVENTS": "none",
	})
	away.within(t, map[string]float64{"orders_ready": 0})
}
