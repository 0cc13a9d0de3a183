package lambda

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
)

// Bus stands in for the EventBridge bus that events go to, where a test has to say when it answers.
type Bus struct {
	URL string // for AWS_ENDPOINT_URL

	mu       sync.Mutex
	events   []string // the ids of the events taken, in the order in which they came
	asked    chan struct{}
	gate     chan struct{} // closed while the bus answers
	finished chan struct{}
}

// RequestID is the id by which the bus knows each call.
const RequestID = "8ac2d6c4-7d1c-4f0b-b3a4-2f1f9f2b6a11"

// NewBus starts a bus that answers, until the test ends.
func NewBus(tb testing.TB) *Bus {
	tb.Helper()
	b := &Bus{asked: make(chan struct{}, 1024), gate: make(chan struct{}), finished: make(chan struct{})}
	close(b.gate)
	server := httptest.NewServer(b)
	tb.Cleanup(server.Close)
	tb.Cleanup(func() { close(b.finished) })
	b.URL = server.URL
	return b
}

// Settings have a program send its events here and no manifests anywhere.
func (b *Bus) Settings() map[string]string {
	return map[string]string{"EVENTS": "eventbridge", "MANIFESTS": "none", "AWS_ENDPOINT_URL": b.URL}
}

// Hold has the bus take events and answer nobody until Release.
func (b *Bus) Hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gate = make(chan struct{})
	for len(b.asked) > 0 {
		<-b.asked
	}
}

// Release ends a Hold.
func (b *Bus) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.gate)
}

// Asked gets a value for each call with events that comes.
func (b *Bus) Asked() <-chan struct{} { return b.asked }

// Events returns the ids of the events that came, in order: those of repeats as well.
func (b *Bus) Events() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

// ServeHTTP speaks as much of EventBridge's protocol as the service does.
func (b *Bus) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", RequestID)
	if !strings.HasSuffix(q.Header.Get("X-Amz-Target"), ".PutEvents") {
		_, _ = io.WriteString(w, `{"Name":"orders-bus","Arn":"arn:aws:events:eu-west-1:111122223333:event-bus/orders-bus"}`)
		return
	}
	var call struct {
		Entries []struct{ Detail string }
	}
	if err := json.UnmarshalRead(q.Body, &call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var answers []string
	b.mu.Lock()
	gate := b.gate
	for i, entry := range call.Entries {
		var detail struct {
			EventID string `json:"eventId"`
		}
		if err := json.Unmarshal([]byte(entry.Detail), &detail); err != nil {
			b.mu.Unlock()
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.events = append(b.events, detail.EventID)
		answers = append(answers, fmt.Sprintf(`{"EventId":"bus-%d"}`, i))
	}
	b.mu.Unlock()
	b.asked <- struct{}{}
	select {
	case <-gate:
	case <-q.Context().Done():
		return
	case <-b.finished:
		return
	}
	fmt.Fprintf(w, `{"FailedEntryCount":0,"Entries":[%s]}`, strings.Join(answers, ","))
}
