package e2e_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// patience bounds every wait for something that must happen.
const patience = 10 * time.Second

// output is what the program writes: log lines, whole ones in each call of Write.
type output struct {
	mu      sync.Mutex
	lines   []line
	strange []string      // what is no line of JSON
	grown   chan struct{} // closed, and made anew, when something is written
}

func newOutput() *output { return &output{grown: make(chan struct{})} }

// line is one log line.
type line struct {
	text      string
	Timestamp string  `json:"timestamp"`
	Level     string  `json:"level"`
	Message   string  `json:"message"`
	Service   string  `json:"service"`
	Version   string  `json:"version"`
	RequestID string  `json:"request_id"`
	TraceID   string  `json:"trace_id"`
	SpanID    string  `json:"span_id"`
	XRay      string  `json:"xray_trace_id"`
	Method    string  `json:"method"`
	Route     string  `json:"route"`
	Status    int     `json:"status"`
	Duration  float64 `json:"duration_us"`
	Bytes     int     `json:"bytes"`
	Code      string  `json:"code"`
	AWS       struct {
		Service   string   `json:"service"`
		Operation string   `json:"operation"`
		EventIDs  []string `json:"event_ids"`
		Entries   []entry  `json:"entries"`
		Bucket    string   `json:"bucket"`
		Key       string   `json:"key"`
		Version   int      `json:"version"`
	} `json:"aws"`
}

// entry is one event as EventBridge would get it.
type entry struct {
	Source, DetailType, Detail, Time, EventBusName string
	Resources                                      []string
}

// Write implements io.Writer.
func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for part := range bytes.SplitAfterSeq(text, []byte("\n")) {
		if len(part) == 0 {
			continue // behind the last line
		}
		l := line{text: string(part)}
		if err := json.Unmarshal(bytes.TrimSuffix(part, []byte("\n")), &l); err != nil || !bytes.HasSuffix(part, []byte("\n")) {
			o.strange = append(o.strange, string(part))
		}
		o.lines = append(o.lines, l)
	}
	close(o.grown)
	o.grown = make(chan struct{})
	return len(text), nil
}

// all returns what was written so far, and a channel that is closed when there is more.
func (o *output) all() (lines []line, more <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines), o.grown
}

// await waits until the lines written so far are enough, and returns them.
func (o *output) await(t *testing.T, what string, enough func([]line) bool) []line {
	t.Helper()
	limit := time.After(patience)
	for {
		lines, more := o.all()
		if enough(lines) {
			return lines
		}
		select {
		case <-more:
		case <-limit:
			t.Fatalf("waited %s in vain for %s; the output is\n%s", patience, what, joined(lines))
		}
	}
}

// awaitMessage waits for a line with the message.
func (o *output) awaitMessage(t *testing.T, message string) {
	t.Helper()
	o.await(t, message, func(lines []line) bool {
		return slices.ContainsFunc(lines, func(l line) bool { return l.Message == message })
	})
}

func joined(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text)
	}
	return b.String()
}

// toldEvent is an event in a simulated call.
type toldEvent struct {
	entry

	id string
}

// toldEvents returns every event in the lines, in the order in which they were told.
func toldEvents(lines []line) []toldEvent {
	var told []toldEvent
	for _, l := range lines {
		for i := range l.AWS.Entries {
			told = append(told, toldEvent{id: l.AWS.EventIDs[i], entry: l.AWS.Entries[i]})
		}
	}
	return told
}

// keptVersions returns the newest version of each order that the lines say a manifest was written of.
func keptVersions(lines []line) map[string]int {
	versions := make(map[string]int)
	for _, l := range lines {
		if id, ok := strings.CutSuffix(l.AWS.Key, ".json"); ok {
			versions[id] = max(versions[id], l.AWS.Version)
		}
	}
	return versions
}
