package promises

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/test/process"
)

// Patient is a client that sends a request again while the service says that it can't do it now, and so has not done it.
// When the service says that it does not know whether it has, there is no answer.
type Patient struct {
	Client

	// Ended is closed when nothing more is to be asked; nil for never.
	Ended <-chan struct{}
	// Pace is the least time from one request to the next.
	Pace time.Duration
	// Seen is told of every single answer, and when its request began; nil for nobody.
	Seen func(a process.Answer, began time.Time)
}

// Ask implements Client.
func (p Patient) Ask(tb testing.TB, q process.Request) (process.Answer, bool) {
	tb.Helper()
	for {
		pace := time.NewTimer(p.Pace)
		began := time.Now()
		select {
		case <-p.Ended:
			return process.Answer{}, false
		default:
		}
		a, ok := p.Client.Ask(tb, q)
		if !ok {
			return a, false
		}
		if p.Seen != nil {
			p.Seen(a, began)
		}
		<-pace.C
		if a.Status != http.StatusServiceUnavailable {
			// Of a batch that could be done in part only it is looked up what is there.
			return a, q.Path != "/orders/batch" || !bytes.Contains(a.Body, []byte(`"status":503`))
		}
		if seconds, err := strconv.Atoi(a.RetryAfter); err != nil || seconds < 1 {
			tb.Errorf("%s %s: status 503 with Retry-After %q", q.Method, q.Path, a.RetryAfter)
		}
		var problem struct {
			Code string `json:"code"`
		}
		if err := json.Unmarshal(a.Body, &problem); err != nil {
			tb.Errorf("%s %s: %v in %s", q.Method, q.Path, err, a.Body)
		}
		if problem.Code == "store_outcome_unknown" {
			return a, false
		}
	}
}

// WorkOn has the writer work until the client asks nothing more, whatever is unanswered meanwhile.
func (b *Book) WorkOn(tb testing.TB, p Patient) {
	tb.Helper()
	for !tb.Failed() {
		b.Work(tb, p)
		select {
		case <-p.Ended:
			return
		default:
		}
	}
}
