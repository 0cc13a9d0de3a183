// Package lambda plays AWS Lambda for tests of the built program: the Runtime API that it asks for invocations, the process
// that is started, frozen and ended, and a REST API of API Gateway in front of it.
package lambda

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"order-processing-service/test/process"
)

// Runtime is the Runtime API of one function, and as much of the Extensions API as a runtime uses.
type Runtime struct {
	Address string // for AWS_LAMBDA_RUNTIME_API

	waiting chan *Invocation
	ended   chan struct{}

	mu         sync.Mutex
	underWay   map[string]*Invocation
	count      int
	extensions []string

	InitErrors chan Failure // what was reported before the first invocation
}

// Failure is an error that a function reported.
type Failure struct {
	Type   string // the header of the report
	Report string // its body
}

// Invocation is one event on its way through the function.
type Invocation struct {
	ID       string
	Event    []byte
	Deadline time.Time
	Trace    string // the header Lambda-Runtime-Trace-Id
	answered chan Answer
}

// Answer is what came of an invocation.
type Answer struct {
	Payload []byte
	Failed  bool // Payload is then an error's report
	Time    time.Time
}

// NewRuntime starts a Runtime API, which ends with the test.
func NewRuntime(tb testing.TB) *Runtime {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	r := &Runtime{
		Address: listener.Addr().String(), waiting: make(chan *Invocation, 64), ended: make(chan struct{}),
		underWay: make(map[string]*Invocation), InitErrors: make(chan Failure, 1),
	}
	const api = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+api+"invocation/next", r.next)
	mux.HandleFunc("POST "+api+"invocation/{id}/response", func(w http.ResponseWriter, q *http.Request) { r.take(w, q, false) })
	mux.HandleFunc("POST "+api+"invocation/{id}/error", func(w http.ResponseWriter, q *http.Request) { r.take(w, q, true) })
	mux.HandleFunc("POST "+api+"init/error", r.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", r.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", r.wait)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: process.Patience}
	go func() { _ = server.Serve(listener) }()
	tb.Cleanup(func() {
		close(r.ended)
		if err := server.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// next hands out the next invocation, when there is one.
func (r *Runtime) next(w http.ResponseWriter, q *http.Request) {
	var i *Invocation
	select {
	case i = <-r.waiting:
	case <-q.Context().Done():
		return
	case <-r.ended:
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", i.ID)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.Deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:111122223333:function:orders")
	if i.Trace != "" {
		h.Set("Lambda-Runtime-Trace-Id", i.Trace)
	}
	_, _ = w.Write(i.Event)
}

// maxAnswer is how large the real one lets an answer be, in bytes.
const maxAnswer = 6 << 20

func (r *Runtime) take(w http.ResponseWriter, q *http.Request, failed bool) {
	body, err := io.ReadAll(io.LimitReader(q.Body, maxAnswer+1))
	now := time.Now()
	r.mu.Lock()
	i := r.underWay[q.PathValue("id")]
	delete(r.underWay, q.PathValue("id"))
	r.mu.Unlock()
	switch {
	case err != nil || i == nil:
		w.WriteHeader(http.StatusBadRequest)
	case len(body) > maxAnswer:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		i.answered <- Answer{Payload: []byte(`{"errorType":"Function.ResponseSizeTooLarge"}`), Failed: true, Time: now}
	default:
		w.WriteHeader(http.StatusAccepted)
		i.answered <- Answer{Payload: body, Failed: failed, Time: now}
	}
}

func (r *Runtime) initError(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(io.LimitReader(q.Body, maxAnswer))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	select {
	case r.InitErrors <- Failure{Type: q.Header.Get("Lambda-Runtime-Function-Error-Type"), Report: string(body)}:
	default: // one is enough to fail a test
	}
	w.WriteHeader(http.StatusAccepted)
}

func (r *Runtime) register(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	r.extensions = append(r.extensions, q.Header.Get("Lambda-Extension-Name"))
	r.mu.Unlock()
	w.Header().Set("Lambda-Extension-Identifier", "e-1")
	_, _ = io.WriteString(w, "{}")
}

// wait answers an extension that asked for no events: never.
func (r *Runtime) wait(_ http.ResponseWriter, q *http.Request) {
	select {
	case <-q.Context().Done():
	case <-r.ended:
	}
}

// WantsSIGTERM reports whether the function registered an extension, without which Lambda sends no SIGTERM.
func (r *Runtime) WantsSIGTERM() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.extensions) > 0
}

// Begin has the function invoked with an event, which has so long.
func (r *Runtime) Begin(event []byte, timeout time.Duration) *Invocation {
	return r.BeginTraced(event, timeout, "")
}

// BeginTraced is Begin with an X-Ray trace.
func (r *Runtime) BeginTraced(event []byte, timeout time.Duration, trace string) *Invocation {
	r.mu.Lock()
	r.count++
	i := &Invocation{
		ID: "8476a536-e9f4-11e8-9739-" + strconv.FormatInt(int64(1<<44+r.count), 16), Event: event,
		Deadline: time.Now().Add(timeout), Trace: trace, answered: make(chan Answer, 1),
	}
	r.underWay[i.ID] = i
	r.mu.Unlock()
	r.waiting <- i
	return i
}

// Await returns the answer, and ends the test if none comes.
func (i *Invocation) Await(tb testing.TB) Answer {
	tb.Helper()
	select {
	case a := <-i.answered:
		return a
	case <-time.After(process.Patience):
		tb.Fatalf("the function does not answer %.200s", i.Event)
		return Answer{}
	}
}

// AwaitAnswer is Await for any goroutine.
func (i *Invocation) AwaitAnswer(ctx context.Context) (Answer, error) {
	select {
	case a := <-i.answered:
		return a, nil
	case <-ctx.Done():
		return Answer{}, context.Cause(ctx)
	}
}

// Invoke invokes the function and returns what it answers, which must be no error.
func (r *Runtime) Invoke(tb testing.TB, event []byte) []byte {
	tb.Helper()
	a := r.Begin(event, process.Patience).Await(tb)
	if a.Failed {
		tb.Fatalf("the function failed: %s\nat %.500s", a.Payload, event)
	}
	return a.Payload
}

// environment is what Lambda puts into every function's environment, as far as it matters here.
func (r *Runtime) environment() []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + r.Address, "AWS_LAMBDA_FUNCTION_NAME=orders", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_REGION=eu-west-1", "TZ=:UTC", "PATH=/usr/local/bin:/usr/bin:/bin",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "_HANDLER=bootstrap",
	}
}
