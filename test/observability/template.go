package observability

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Series is a metric of CloudWatch by the names of its dimensions, sorted, with commas between them.
type Series struct{ Metric, Dimensions string }

// NewSeries makes a Series.
func NewSeries(metric string, dimensions []string) Series {
	return Series{metric, strings.Join(slices.Sorted(slices.Values(dimensions)), ",")}
}

// Alarm is an alarm of CloudWatch.
type Alarm struct {
	AlarmDescription, MetricName string
	// Condition is that of the template under which there is the alarm; ExtendedStatistic the percentile that it looks at, if any.
	Condition, ExtendedStatistic string
	Dimensions                   []struct {
		Name string `yaml:"Name"`
	}
}

// Template is the CloudFormation template of a dashboard and alarms.
type Template struct {
	Alarms map[string]Alarm
	Series map[Series]string // what it asks for, and where
}

var search = regexp.MustCompile(`^SEARCH\('\{\$\{Namespace\},([^}]+)\} MetricName="([^"]+)"`)

// ReadTemplate reads a template.
func ReadTemplate(path string) (*Template, error) {
	var file struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Condition  string `yaml:"Condition"`
			Properties struct {
				AlarmDescription string `yaml:"AlarmDescription"`
				MetricName       string `yaml:"MetricName"`
				Percentile       string `yaml:"ExtendedStatistic"`
				DashboardBody    string `yaml:"DashboardBody"`
				Dimensions       []struct {
					Name string `yaml:"Name"`
				} `yaml:"Dimensions"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := readYAML(path, &file); err != nil {
		return nil, err
	}
	t := &Template{Alarms: map[string]Alarm{}, Series: map[Series]string{}}
	for name, r := range file.Resources {
		p := r.Properties
		switch r.Type {
		case "AWS::CloudWatch::Alarm":
			var names []string
			for _, d := range p.Dimensions {
				names = append(names, d.Name)
			}
			t.Alarms[name] = Alarm{
				AlarmDescription: p.AlarmDescription, MetricName: p.MetricName, Condition: r.Condition, ExtendedStatistic: p.Percentile,
				Dimensions: p.Dimensions,
			}
			t.Series[NewSeries(p.MetricName, names)] = name
		case "AWS::CloudWatch::Dashboard":
			if err := t.readDashboard(p.DashboardBody); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return t, nil
}

func (t *Template) readDashboard(body string) error {
	var dashboard struct {
		Widgets []struct {
			X          int `json:"x"`
			Y          int `json:"y"`
			Width      int `json:"width"`
			Height     int `json:"height"`
			Properties struct {
				Title   string  `json:"title"`
				Metrics [][]any `json:"metrics"`
			} `json:"properties"`
		} `json:"widgets"`
	}
	if err := json.Unmarshal([]byte(body), &dashboard); err != nil {
		return fmt.Errorf("the dashboard is no JSON: %w", err)
	}
	const columns = 24
	taken := map[[2]int]string{}
	for _, w := range dashboard.Widgets {
		for x := w.X; x < w.X+w.Width; x++ {
			for y := w.Y; y < w.Y+w.Height; y++ {
				if other, is := taken[[2]int{x, y}]; is || x >= columns {
					return fmt.Errorf("%q lies over %q, or beside the dashboard", w.Properties.Title, other)
				}
				taken[[2]int{x, y}] = w.Properties.Title
			}
		}
		for _, row := range w.Properties.Metrics {
			series, err := readRow(row)
			if err != nil {
				return fmt.Errorf("%s: %w", w.Properties.Title, err)
			}
			t.Series[series] = w.Properties.Title
		}
	}
	return nil
}

// readRow reads a search, or a namespace, a metric, and dimensions with their values.
func readRow(row []any) (Series, error) {
	if len(row) == 0 {
		return Series{}, errors.New("an empty row")
	}
	if options, ok := row[0].(map[string]any); ok {
		found := search.FindStringSubmatch(fmt.Sprint(options["expression"]))
		if found == nil {
			return Series{}, fmt.Errorf("can't read %v", options["expression"])
		}
		return NewSeries(found[2], strings.Split(strings.ReplaceAll(found[1], `"`, ""), ",")), nil
	}
	var names []string
	for i := 2; i+1 < len(row); i += 2 {
		names = append(names, fmt.Sprint(row[i]))
	}
	return NewSeries(fmt.Sprint(row[1]), names), nil
}
