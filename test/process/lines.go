package process

import (
	"bytes"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
)

// Line is a log line.
type Line struct {
	Message     string `json:"message"`
	Level       string `json:"level"`
	URL         string `json:"url"`
	PID         int    `json:"pid"`
	TraceID     string `json:"trace_id"`
	XRayTraceID string `json:"xray_trace_id"`
	AWS         struct {
		EventIDs []string `json:"event_ids"`
		Entries  []struct {
			Detail       string
			EventBusName string
		} `json:"entries"`
	} `json:"aws"`
	Text string `json:"-"`
}

// ReadLines reads the lines of an output in the order in which they were written.
func ReadLines(tb testing.TB, output string) []Line {
	tb.Helper()
	return readLines(tb, output, 0)
}

// readLines passes over what was there before, and over half lines: those of a writer that was killed.
func readLines(tb testing.TB, output string, skip int) []Line {
	tb.Helper()
	text, err := os.ReadFile(output)
	if err != nil {
		tb.Fatal(err)
	}
	var lines []Line
	for row := range bytes.Lines(text[skip:]) {
		if !bytes.HasSuffix(row, []byte("\n")) {
			break
		}
		row = row[max(0, bytes.LastIndex(row, []byte(`{"timestamp":`))):] // behind half a line
		l := Line{Text: string(row)}
		if err := json.Unmarshal(row, &l); err != nil {
			tb.Errorf("%s: %v in %s", output, err, row)
		}
		lines = append(lines, l)
	}
	return lines
}
