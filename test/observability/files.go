// Package observability reads the files under deploy/observability for what they name: metrics, labels, dimensions, components. Its
// tests hold that against what the running program emits.
package observability

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// Folder has the files.
const Folder = "../../deploy/observability/"

// Query is a PromQL expression, and where it stands.
type Query struct{ Place, Text string }

// Rule is an alert or a recording rule of Prometheus.
type Rule struct {
	Alert, Record, Expr, For string
	Labels, Annotations      map[string]string
}

// Rules reads the rules of a file.
func Rules(path string) ([]Rule, error) {
	var file struct {
		Groups []struct{ Rules []Rule }
	}
	if err := readYAML(path, &file); err != nil {
		return nil, err
	}
	var all []Rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all, nil
}

func readYAML(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read a file: %w", err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Prometheus is as much of a configuration of Prometheus as the examples must have.
type Prometheus struct {
	RuleFiles []string `yaml:"rule_files"`
	Alerting  struct {
		Managers []struct {
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"alertmanagers"`
	}
	Jobs []struct {
		Name string `yaml:"job_name"`
	} `yaml:"scrape_configs"`
}

// ReadPrometheus reads a configuration.
func ReadPrometheus(path string) (*Prometheus, error) {
	p := new(Prometheus)
	return p, readYAML(path, p)
}

// Panel is one of a dashboard of Grafana.
type Panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct {
		X int `json:"x"`
		Y int `json:"y"`
		W int `json:"w"`
		H int `json:"h"`
	} `json:"gridPos"`
	Targets []Target `json:"targets"`
}

// Target is a query of a panel.
type Target struct {
	RefID      string `json:"refId"`
	Expr       string `json:"expr"`
	Datasource struct {
		UID string `json:"uid"`
	} `json:"datasource"`
}

// Dashboard is what there is to know of a dashboard of Grafana.
type Dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Templating    struct {
		List []struct {
			Name       string `json:"name"`
			Type       string `json:"type"`
			Definition string `json:"definition"`
		} `json:"list"`
	} `json:"templating"`
	Panels []Panel `json:"panels"`
}

// ReadDashboard reads a dashboard.
func ReadDashboard(path string) (*Dashboard, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a dashboard: %w", err)
	}
	d := new(Dashboard)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// Queries are those of all panels and variables, with Grafana's variables filled in.
func (d *Dashboard) Queries() ([]Query, error) {
	var all []Query
	filled := strings.NewReplacer("$__rate_interval", "5m", "$job", ".+", "$instance", ".+")
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			all = append(all, Query{Place: "panel " + p.Title, Text: filled.Replace(t.Expr)})
		}
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		parts := labelValues.FindStringSubmatch(v.Definition)
		if parts == nil {
			return nil, fmt.Errorf("variable %s: %q is not label_values(METRIC, LABEL)", v.Name, v.Definition)
		}
		all = append(all, Query{Place: "variable " + v.Name, Text: fmt.Sprintf("count by (%s) (%s)", parts[2], filled.Replace(parts[1]))})
	}
	return all, nil
}

// Selector is one metric that a query reads: its name, what it asks of labels, and the labels by which it is added up.
type Selector struct {
	Metric string
	Wants  []*labels.Matcher
	By     []string
}

// Selectors are the metrics that a query reads. The error says what is wrong with the query.
func (q Query) Selectors() ([]Selector, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(q.Text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w in %s", q.Place, err, q.Text)
	}
	var all []Selector
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		s := Selector{Metric: selector.Name}
		for _, m := range selector.LabelMatchers {
			if m.Name != model.MetricNameLabel {
				s.Wants = append(s.Wants, m)
			}
		}
		for _, above := range path {
			if sum, ok := above.(*parser.AggregateExpr); ok && !sum.Without {
				s.By = append(s.By, sum.Grouping...)
			}
		}
		all = append(all, s)
		return nil
	})
	if len(all) == 0 {
		return nil, fmt.Errorf("%s reads no metric: %s", q.Place, q.Text)
	}
	return all, nil
}

// Collector is the configuration of an OpenTelemetry collector.
type Collector struct {
	Receivers, Processors, Exporters, Extensions map[string]any
	Service                                      struct {
		Extensions []string
		Pipelines  map[string]struct{ Receivers, Processors, Exporters []string }
	}
}

// ReadCollector reads a configuration.
func ReadCollector(path string) (*Collector, error) {
	c := new(Collector)
	return c, readYAML(path, c)
}

// components are those of the collector that may be named, as its AWS distribution and its contributors' have them.
func components() map[string][]string {
	return map[string][]string{
		"receivers":  {"otlp"},
		"processors": {"memory_limiter", "batch", "resourcedetection"},
		"exporters":  {"awsxray", "awsemf", "prometheus", "debug"},
		"extensions": {"health_check", "sigv4auth"},
	}
}

// Check says what is wrong: a component that is used and not there, is there and not used, or is none.
func (c *Collector) Check() error {
	used := map[string][]string{"extensions": c.Service.Extensions}
	var problems []error
	for name, p := range c.Service.Pipelines {
		if name != "traces" && name != "metrics" && name != "logs" {
			problems = append(problems, fmt.Errorf("pipeline %s is of no kind that there is", name))
		}
		if len(p.Receivers) == 0 || len(p.Exporters) == 0 {
			problems = append(problems, fmt.Errorf("pipeline %s begins or ends nowhere", name))
		}
		used["receivers"] = append(used["receivers"], p.Receivers...)
		used["processors"] = append(used["processors"], p.Processors...)
		used["exporters"] = append(used["exporters"], p.Exporters...)
	}
	for kind, there := range map[string]map[string]any{
		"receivers": c.Receivers, "processors": c.Processors, "exporters": c.Exporters, "extensions": c.Extensions,
	} {
		for name := range there {
			if is, _, _ := strings.Cut(name, "/"); !slices.Contains(components()[kind], is) {
				problems = append(problems, fmt.Errorf("%s: %s is none that the collector has", kind, name))
			}
			if !slices.Contains(used[kind], name) {
				problems = append(problems, fmt.Errorf("%s: %s is not used", kind, name))
			}
		}
		for _, name := range used[kind] {
			if _, ok := there[name]; !ok {
				problems = append(problems, fmt.Errorf("%s: %s is used and not there", kind, name))
			}
		}
	}
	return errors.Join(problems...)
}

// Declaration is what the collector adds a metric up by.
type Declaration struct {
	Selectors  []string   `yaml:"metric_name_selectors"`
	Dimensions [][]string `yaml:"dimensions"`
}

// Declarations are those of the exporter to CloudWatch.
func Declarations(path string) ([]Declaration, error) {
	var file struct {
		Exporters struct {
			EMF struct {
				Declarations []Declaration `yaml:"metric_declarations"`
			} `yaml:"awsemf"`
		}
	}
	err := readYAML(path, &file)
	return file.Exporters.EMF.Declarations, err
}
