package observability_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"order-processing-service/test/observability"
)

// emitted is what the program emits when it has done all that is measured, well and badly: as a server on its own store with a
// subscriber that refuses, as one whose MongoDB is away, and as a worker, of which nobody asks whether it is ready. The servers' and the
// workers' own are told apart besides, by job.
func emitted(t *testing.T) (all map[string]metric, byJob map[string]map[string]metric) {
	t.Helper()
	byJob = map[string]map[string]metric{"orders": {}, "orders-worker": {}}
	all = map[string]metric{
		// What Prometheus itself says of each process that it reads.
		"up": {"job": {"orders": true, "orders-worker": true}, "instance": {"127.0.0.1:9464": true}},
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "data", "s3"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "s3", "orders-manifest"), nil, 0o600); err != nil { // where a folder should be
		t.Fatal(err)
	}
	s := start(t, "serve", dir)
	status, body := s.ask(t, http.MethodPost, "/orders", `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":2.5}]}`)
	id := regexp.MustCompile(`"id":"([0-9a-f]{24})"`).FindStringSubmatch(body)
	if status != http.StatusCreated || id == nil {
		t.Fatalf("an order is answered %d: %s", status, body)
	}
	s.ask(t, http.MethodPatch, "/orders/"+id[1], `{"status":"PAID"}`)
	s.ask(t, http.MethodGet, "/orders/export", "")
	s.within(t, all, "a failed delivery", func() bool { return all["orders_delivery_duration_seconds_count"]["error_type"] != nil })

	away := start(t, "serve", t.TempDir(), "MONGO_URI=mongodb://127.0.0.1:1/orders_db", "MONGO_TIMEOUT=100ms", "EVENTS=none", "MANIFESTS=none")
	if status, body := away.ask(t, http.MethodGet, "/orders", ""); status != http.StatusServiceUnavailable {
		t.Errorf("without its store it answers %d: %s", status, body)
	}
	away.scrape(t, all)
	s.scrape(t, byJob["orders"])

	commands, letters := queue(t, "commands"), queue(t, "letters")
	worker := start(t, "worker", t.TempDir(), "COMMANDS_QUEUE_URL="+commands, "COMMANDS_DEAD_LETTER_QUEUE_URL="+letters,
		"AWS_ENDPOINT_URL="+os.Getenv("TEST_AWS_ENDPOINT_URL"), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	sqs(t, commands, url.Values{"Action": {"SendMessage"}, "MessageBody": {"no command"}})
	worker.within(t, all, "a dead letter", func() bool { return all["orders_commands_total"]["error_type"] != nil })
	worker.scrape(t, byJob["orders-worker"])
	return all, byJob
}

// wrong says what is wrong with a selector: a metric, a label or a value that nothing emits.
func wrong(s observability.Selector, all map[string]metric) []string {
	m, there := all[s.Metric]
	if !there {
		return []string{"nothing emits " + s.Metric}
	}
	var problems []string
	for _, by := range s.By {
		if by != "job" && by != "instance" && m[by] == nil {
			problems = append(problems, fmt.Sprintf("%s has no label %s", s.Metric, by))
		}
	}
	for _, want := range s.Wants {
		if want.Name == "job" || want.Name == "instance" {
			continue
		}
		values := m[want.Name]
		if values == nil {
			problems = append(problems, fmt.Sprintf("%s has no label %s", s.Metric, want.Name))
			continue
		}
		matches := func() bool {
			for value := range values {
				if want.Matches(value) {
					return true
				}
			}
			return false
		}
		if (want.Type == labels.MatchEqual || want.Type == labels.MatchRegexp) && !matches() {
			problems = append(problems, fmt.Sprintf("no %s has a label that is %s", s.Metric, want))
		}
	}
	return problems
}

// queries are all of the files.
func queries(t *testing.T) []observability.Query {
	t.Helper()
	dashboard, err := observability.ReadDashboard(observability.Folder + "grafana/orders.json")
	if err != nil {
		t.Fatal(err)
	}
	all, err := dashboard.Queries()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := observability.Rules(observability.Folder + "prometheus/orders.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		all = append(all, observability.Query{Place: rule.Alert + rule.Record, Text: rule.Expr})
	}
	if len(all) < 50 {
		t.Errorf("only %d queries were found", len(all))
	}
	return all
}

// TestEveryNameIsEmitted holds each metric, label and value that a dashboard, an alert or a recording rule names against what
// the running program emits.
func TestEveryNameIsEmitted(t *testing.T) {
	all, byJob := emitted(t)
	rules, err := observability.Rules(observability.Folder + "prometheus/orders.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules { // what one rule records another may read
		if rule.Record != "" {
			all[rule.Record] = metric{}
		}
	}
	for _, q := range queries(t) {
		selectors, err := q.Selectors()
		if err != nil {
			t.Error(err)
		}
		for _, s := range selectors {
			for _, problem := range wrong(s, all) {
				t.Errorf("%s: %s", q.Place, problem)
			}
		}
	}
	for _, rule := range rules { // what every process must be able to ring for
		if !slices.Contains([]string{"OrdersNotReady", "OrdersMemoryHigh", "OrdersFileDescriptors"}, rule.Alert) {
			continue
		}
		selectors, err := observability.Query{Place: rule.Alert, Text: rule.Expr}.Selectors()
		if err != nil {
			t.Error(err)
		}
		for job, own := range byJob {
			for _, s := range selectors {
				for _, problem := range wrong(s, own) {
					t.Errorf("%s can't ring for %s: %s", rule.Alert, job, problem)
				}
			}
		}
	}
	for _, lie := range []string{
		`rate(orders_lost_total[5m])`, `sum by (customer) (orders_placed_total)`, `orders_placed_total{orders_origin="nowhere"}`, `orders_moved_total{customer!=""}`,
	} {
		selectors, err := observability.Query{Text: lie}.Selectors()
		if err != nil || len(wrong(selectors[0], all)) == 0 {
			t.Errorf("%s passes: %v", lie, err)
		}
	}
	for name := range all { // nothing that the service measures is left out of sight
		if base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count"); strings.HasPrefix(name, "orders_") && !slices.ContainsFunc(queries(t), func(q observability.Query) bool {
			return strings.Contains(q.Text, base)
		}) {
			t.Errorf("neither the dashboard nor a rule shows %s", base)
		}
	}
}
