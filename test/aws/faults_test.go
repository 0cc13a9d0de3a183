package aws_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// faulty stands between the program and AWS and lets calls go wrong, in every way in turn.
type faulty struct {
	to     string
	client *http.Client

	underWay sync.WaitGroup // the calls

	mu   sync.Mutex
	rand *rand.Rand
	// breaks says, by operation, how calls go wrong in turn; "" is not at all.
	breaks map[string][]string
	off    bool           // nothing goes wrong
	gone   bool           // nobody is there
	calls  map[string]int // how many there were of each operation
	kinds  map[string]int // how often each went wrong
	// again counts entries that were taken without the program having been told so.
	again int
}

func newFaulty(t *testing.T, to string) (f *faulty, url string) {
	t.Helper()
	f = &faulty{to: to, client: &http.Client{}, rand: rand.New(rand.NewPCG(1, 2)), //nolint:gosec // it is to be the same each time
		kinds: map[string]int{}, calls: map[string]int{}, breaks: map[string][]string{
			"PutEvents":        {"error", "", "throttle", "reset", "", "answer lost", "entries", ""},
			"SendMessageBatch": {"error", "", "throttle", "reset", "", "answer lost", "entries", ""},
			"PutObject":        {"error", "", "throttle", "reset", "", "answer lost", ""},
		}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	t.Cleanup(f.client.CloseIdleConnections)
	return f, server.URL
}

// heal lets everything pass from now on.
func (f *faulty) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off, f.gone = true, false
}

// leave has nobody be there until heal. The calls that came before are over when it returns.
func (f *faulty) leave() {
	f.mu.Lock()
	f.gone = true
	f.mu.Unlock()
	f.underWay.Wait()
}

// enter says whether somebody is there to take a call, which is then under way.
func (f *faulty) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.gone {
		f.underWay.Add(1)
	}
	return !f.gone
}

// next says what goes wrong with a call.
func (f *faulty) next(operation string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	kinds := f.breaks[operation]
	if f.off || len(kinds) == 0 {
		return ""
	}
	kind := kinds[f.calls[operation]%len(kinds)]
	f.calls[operation]++
	if kind != "" {
		f.kinds[operation+": "+kind]++
	}
	return kind
}

// ServeHTTP implements http.Handler.
func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if operation == "" && r.Method == http.MethodPut {
		operation = "PutObject"
	}
	if !f.enter() {
		panic(http.ErrAbortHandler)
	}
	defer f.underWay.Done()
	switch f.next(operation) {
	case "error":
		w.WriteHeader(http.StatusInternalServerError)
	case "throttle":
		if operation == "PutObject" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("X-Amzn-Errortype", "ThrottlingException")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"ThrottlingException","message":"slow down"}`)
	case "reset":
		panic(http.ErrAbortHandler)
	case "answer lost":
		f.pass(r, body, httptest.NewRecorder())
		var call struct{ Entries []jsontext.Value }
		_ = json.Unmarshal(body, &call, json.RejectUnknownMembers(false)) // a manifest has none
		f.mu.Lock()
		f.again += len(call.Entries)
		f.mu.Unlock()
		panic(http.ErrAbortHandler)
	case "entries":
		f.failEntries(w, r, operation, body)
	default:
		f.pass(r, body, w)
	}
}

// pass sends a request on and its answer back.
func (f *faulty) pass(r *http.Request, body []byte, w http.ResponseWriter) {
	ctx := context.WithoutCancel(r.Context())
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage") {
		ctx = r.Context() // who does not wait any more for a message is not to be given one
	}
	on, err := http.NewRequestWithContext(ctx, r.Method, f.to+r.URL.RequestURI(), bytes.NewReader(body)) //nolint:gosec // to the emulator
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	on.Header = r.Header.Clone()
	answer, err := f.client.Do(on) //nolint:gosec // as above
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close()
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // the program sees what is missing
}

// failEntries lets some entries of a call fail and passes the rest on.
func (f *faulty) failEntries(w http.ResponseWriter, r *http.Request, operation string, body []byte) {
	var call map[string]jsontext.Value
	var entries []jsontext.Value
	if json.Unmarshal(body, &call) != nil || json.Unmarshal(call["Entries"], &entries) != nil {
		panic(http.ErrAbortHandler)
	}
	f.mu.Lock()
	fails := make([]bool, len(entries))
	for i := range fails {
		fails[i] = f.rand.IntN(2) == 0
	}
	f.mu.Unlock()
	var passed []jsontext.Value
	for i, e := range entries {
		if !fails[i] {
			passed = append(passed, e)
		}
	}
	answer := map[string][]any{}
	if len(passed) > 0 {
		call["Entries"], _ = json.Marshal(passed)
		rest, _ := json.Marshal(call)
		got := httptest.NewRecorder()
		f.pass(r, rest, got)
		var all map[string]any
		if got.Code != http.StatusOK || json.Unmarshal(got.Body.Bytes(), &all) != nil {
			panic(http.ErrAbortHandler)
		}
		for name, list := range all {
			if list, ok := list.([]any); ok {
				answer[name] = list
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if operation != "PutEvents" {
		for i, e := range entries {
			var entry struct {
				ID string `json:"Id"`
			}
			if fails[i] && json.Unmarshal(e, &entry, json.RejectUnknownMembers(false)) == nil {
				answer["Failed"] = append(answer["Failed"], map[string]any{"Id": entry.ID, "Code": "InternalError", "SenderFault": false})
			}
		}
		_ = json.MarshalWrite(w, answer)
		return
	}
	var merged []any
	for i := range entries {
		if fails[i] {
			merged = append(merged, map[string]any{"ErrorCode": "InternalFailure", "ErrorMessage": "it failed"})
			continue
		}
		merged = append(merged, answer["Entries"][0])
		answer["Entries"] = answer["Entries"][1:]
	}
	_ = json.MarshalWrite(w, map[string]any{"FailedEntryCount": len(entries) - len(passed), "Entries": merged})
}

// TestFaults lets most calls go wrong, in every way, while orders live; then nothing is missing, and nothing came again but
// what the lost answers explain.
func TestFaults(t *testing.T) {
	for _, events := range []string{"eventbridge", "sqs"} {
		t.Run(events, func(t *testing.T) {
			c := newCloud(t)
			f, url := newFaulty(t, c.endpoint)
			queue := c.makeQueue(t, "")
			c.makeBus(t, queue, "order-processing-service")
			c.makeBucket(t)
			t.Setenv("AWS_ENDPOINT_URL", url)
			s := start(t, "EVENTS="+events, "EVENTS_QUEUE_URL="+queue, "EVENT_BUS_NAME="+c.name, "MANIFESTS=s3", "MANIFEST_BUCKET="+c.name,
				"DELIVERY_MAX_ATTEMPTS=1000")
			cameSoFar := c.keepReading(t, queue)
			var mu sync.Mutex
			want := map[string]int{}
			var shops sync.WaitGroup
			for range 8 {
				shops.Go(func() {
					for range 10 {
						id, count := s.live(t)
						mu.Lock()
						want[id] = count
						mu.Unlock()
					}
				})
			}
			shops.Wait()
			f.heal()
			s.awaitTold(t)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			read := readEnvelope
			if events == "sqs" {
				read = readCloudEvent
			}
			schemas := s.schemas(t)
			f.mu.Lock()
			again, kinds := f.again, f.kinds
			f.mu.Unlock()
			var all []told
			came := cameSoFar()
			came = append(came, c.receive(ctx, t, queue, total(want)-len(came))...)
			for _, m := range came {
				all = append(all, read(t, schemas, m))
			}
			for _, m := range c.rest(ctx, t, queue) {
				all = append(all, read(t, schemas, m))
			}
			t.Logf("%d events, %d of them again after %d lost answers of entries; went wrong: %v", len(all), len(all)-total(want), again, kinds)
			checkSequences(t, all, want, again)
			for id := range want {
				checkManifest(t, c, s, id)
			}
			if len(kinds) != 9 { // five of a call with entries, four of a manifest
				t.Errorf("only this went wrong: %v", kinds)
			}
		})
	}
}
