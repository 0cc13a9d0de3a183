package observability_test

import (
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"order-processing-service/test/observability"
)

func rules(t *testing.T) []observability.Rule {
	t.Helper()
	all, err := observability.Rules(observability.Folder + "prometheus/orders.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// anchors are the headings of a page, as links name them.
func anchors(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile("../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(string(heading[1])), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// Who is woken must find what to do.
func TestAlertsHaveRunbooks(t *testing.T) {
	tests, err := os.ReadFile("orders.rules.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	headings, seen := anchors(t, "docs/operations.md"), map[string]bool{}
	runbook := func(who, link string) {
		u, err := url.Parse(link)
		if err != nil || u.Path != "docs/operations.md" || !slices.Contains(headings, u.Fragment) {
			t.Errorf("%s: %s is no heading of docs/operations.md", who, link)
		}
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if seen[r.Alert] {
			t.Errorf("there are two alerts %s", r.Alert)
		}
		seen[r.Alert] = true
		runbook(r.Alert, r.Annotations["runbook_url"])
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s does not say what it is about", r.Alert)
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s has the severity %q", r.Alert, s)
		}
		if wait, err := time.ParseDuration(r.For); err != nil || wait > 30*time.Minute {
			t.Errorf("%s waits for %q", r.Alert, r.For)
		}
		for _, test := range []string{" rings", " is quiet"} {
			if !strings.Contains(string(tests), "name: "+r.Alert+test+"\n") {
				t.Errorf("there is no test %q", r.Alert+test)
			}
		}
	}
	template, err := observability.ReadTemplate(observability.Folder + "template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, alarm := range template.Alarms {
		_, link, _ := strings.Cut(alarm.AlarmDescription, "; ")
		runbook(name, link)
	}
	if len(seen) < 10 || len(template.Alarms) < 5 {
		t.Errorf("%d alerts and %d alarms were found", len(seen), len(template.Alarms))
	}
}

// A job that an alert asks for under another name is never read. The example for one machine has servers alone, so that nobody without a
// worker is rung for one; where pods are found, there is a job for each.
func TestExamplesHaveTheJobsOfTheRules(t *testing.T) {
	asked := map[string]bool{}
	for _, r := range rules(t) {
		selectors, err := observability.Query{Place: r.Alert + r.Record, Text: r.Expr}.Selectors()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range selectors {
			for _, want := range s.Wants {
				if want.Name == "job" {
					for job := range strings.SplitSeq(want.Value, "|") {
						asked[job] = true
					}
				}
			}
		}
	}
	for file, want := range map[string][]string{"prometheus.yml": {"orders"}, "kubernetes.yml": {"orders", "orders-worker"}} {
		var jobs []string
		for _, job := range example(t, file).Jobs {
			jobs = append(jobs, job.Name)
		}
		if !slices.Equal(jobs, want) {
			t.Errorf("%s has the jobs %q, want %q", file, jobs, want)
		}
		for _, job := range jobs {
			if !asked[job] {
				t.Errorf("%s: no rule asks for the job %s", file, job)
			}
		}
	}
	if len(asked) != 2 {
		t.Errorf("the rules ask for %v", asked)
	}
}

func example(t *testing.T, file string) *observability.Prometheus {
	t.Helper()
	p, err := observability.ReadPrometheus(observability.Folder + "prometheus/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// An alert that rings where nobody is told is none: each example has the rules, and somebody to send them to.
func TestExamplesTellSomebody(t *testing.T) {
	for _, file := range []string{"prometheus.yml", "kubernetes.yml"} {
		p := example(t, file)
		if !slices.Equal(p.RuleFiles, []string{"orders.rules.yml"}) {
			t.Errorf("%s has the rules %q", file, p.RuleFiles)
		}
		told := 0
		for _, manager := range p.Alerting.Managers {
			for _, static := range manager.Static {
				for _, target := range static.Targets {
					told++
					if host, port, err := net.SplitHostPort(target); err != nil || host == "" || port == "" {
						t.Errorf("%s sends alerts to %q: %v", file, target, err)
					}
				}
			}
		}
		if told == 0 {
			t.Errorf("%s sends alerts to nobody", file)
		}
	}
}

func TestDashboardIsWhole(t *testing.T) {
	d, err := observability.ReadDashboard(observability.Folder + "grafana/orders.json")
	if err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 39 {
		t.Errorf("uid %q, title %q, schema %d", d.UID, d.Title, d.SchemaVersion)
	}
	ids, titles, taken, rows := map[int]bool{}, map[string]bool{}, map[[2]int]string{}, 0
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID <= 0 || titles[p.Title] || p.Title == "" {
			t.Errorf("panel %d %q: its id or title is another's too, or none", p.ID, p.Title)
		}
		ids[p.ID], titles[p.Title] = true, true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, is := taken[[2]int{x, y}]; is || x >= 24 {
					t.Errorf("panel %q lies over %q, or beside the dashboard", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows++
			continue
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" || refs[target.RefID] || target.RefID == "" || target.Expr == "" {
				t.Errorf("panel %q: target %+v", p.Title, target)
			}
			refs[target.RefID] = true
		}
		if len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
	}
	if rows != 7 || d.Templating.List[0].Type != "datasource" {
		t.Errorf("%d rows; the first variable is %+v", rows, d.Templating.List[0])
	}
}

func TestCollectorIsWhole(t *testing.T) {
	path := observability.Folder + "collector/collector.yaml"
	c, err := observability.ReadCollector(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	for name, lie := range map[string]func(c *observability.Collector){
		"not used":      func(c *observability.Collector) { c.Exporters["debug"] = nil },
		"not there":     func(c *observability.Collector) { delete(c.Processors, "memory_limiter") },
		"none there is": func(c *observability.Collector) { c.Extensions["helth_check"] = nil },
	} {
		c, err := observability.ReadCollector(path)
		if err != nil {
			t.Fatal(err)
		}
		lie(c)
		if c.Check() == nil {
			t.Errorf("a collector with a component that is %s passes", name)
		}
	}
}

// The collector gives CloudWatch the metrics that the dashboard and the alarms ask for, by the same dimensions, and no others:
// test/lambda holds those against what a function writes.
func TestCollectorSendsWhatTheDashboardAsks(t *testing.T) {
	template, err := observability.ReadTemplate(observability.Folder + "template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	declarations, err := observability.Declarations(observability.Folder + "collector/collector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sent := func(s observability.Series) bool {
		for _, d := range declarations {
			for _, selector := range d.Selectors {
				for _, dimensions := range d.Dimensions {
					if regexp.MustCompile(selector).MatchString(s.Metric) && observability.NewSeries(s.Metric, dimensions) == s {
						return true
					}
				}
			}
		}
		return false
	}
	for series, place := range template.Series {
		if !sent(series) {
			t.Errorf("%s asks for %s by %s, which the collector does not send", place, series.Metric, series.Dimensions)
		}
	}
	for _, d := range declarations {
		for _, selector := range d.Selectors {
			used := false
			for series := range template.Series {
				used = used || regexp.MustCompile(selector).MatchString(series.Metric)
			}
			if !used {
				t.Errorf("the collector sends %s, for which nobody asks", selector)
			}
		}
	}
	if sent(observability.Series{Metric: "orders.lost", Dimensions: "service.name"}) || len(declarations) < 5 {
		t.Errorf("%d declarations, which let anything pass", len(declarations))
	}
}

// The collector gives CloudWatch no percentiles: an alarm on one is for functions only, and another one stands in for it.
func TestAlarmsOnPercentilesHaveAStandIn(t *testing.T) {
	template, err := observability.ReadTemplate(observability.Folder + "template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for name, alarm := range template.Alarms {
		if alarm.ExtendedStatistic == "" {
			continue
		}
		found++
		standIn := false
		for _, other := range template.Alarms {
			standIn = standIn || other.MetricName == alarm.MetricName && other.ExtendedStatistic == "" && other.Condition == "HasAveragesOnly"
		}
		if alarm.Condition != "HasPercentiles" || !standIn {
			t.Errorf("%s would have no data by the collector (under %q; another stands in: %v)", name, alarm.Condition, standIn)
		}
	}
	if found == 0 {
		t.Error("no alarm looks at a percentile")
	}
}
