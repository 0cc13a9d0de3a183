// Package program runs the real program for tests of the whole: the one that `orders serve` runs, in the test's own
// process, on a port of its own.
package program

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/process"
)

// How long the program may take to listen, and to answer.
const (
	startLimit  = 30 * time.Second
	answerLimit = 30 * time.Second
)

// Program is a service that runs.
type Program struct {
	URL string // where it is, for example http://127.0.0.1:40961
	Log *Log

	stop func()
}

// Stop stops the program, and waits until it has. The end of the test does so, too.
func (p *Program) Stop() { p.stop() }

// Start starts the program with its data in dir and the given settings, by variable name, and stops it when the test
// ends. Settings win over the environment.
func Start(tb testing.TB, dir string, settings map[string]string) *Program {
	tb.Helper()
	overrides := map[string]string{
		"HOST": "127.0.0.1", "PORT": "0", "DATA_DIR": dir, "LOG_LEVEL": "INFO", "MONGO_URI": "", "MONGO_HOST": "",
		"ADMIN_ADDR": "127.0.0.1:0",
	}
	maps.Copy(overrides, settings)
	p := &Program{Log: &Log{listening: make(chan string, 1)}}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() {
		stopped <- bootstrap.Commands().Serve(ctx, cli.Streams{Out: p.Log, Err: io.Discard}, cli.ServeOptions{Overrides: overrides})
	}()
	select {
	case p.URL = <-p.Log.listening:
	case err := <-stopped:
		stop()
		tb.Fatalf("the program does not start: %v", err)
	case <-time.After(startLimit):
		stop()
		tb.Fatalf("the program does not listen within %v", startLimit)
	}
	p.stop = sync.OnceFunc(func() {
		stop()
		if err := <-stopped; err != nil {
			tb.Errorf("the program does not stop in good order: %v", err)
		}
	})
	tb.Cleanup(p.stop)
	return p
}

// Get reads the JSON answer to GET path, and ends the test unless the status is 200.
func (p *Program) Get(tb testing.TB, path string, into any) {
	tb.Helper()
	client := http.Client{Timeout: answerLimit}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, p.URL+path, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		tb.Fatalf("GET %s: status %d", path, response.StatusCode)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		tb.Fatalf("GET %s: %v", path, err)
	}
}

// AwaitTold waits until no subscriber has anything left to be told. A stop does not: it leaves what has not begun to the next start.
func (p *Program) AwaitTold(tb testing.TB) {
	tb.Helper()
	process.Await(tb, "everything to be told", func() bool {
		var page struct {
			Deliveries []json.RawMessage `json:"deliveries"`
		}
		p.Get(tb, "/deliveries?state=waiting", &page)
		return len(page.Deliveries) == 0
	})
}

// Log is what a program has logged. It is safe for concurrent use.
type Log struct {
	listening chan string // gets the URL, once

	mu    sync.Mutex
	lines bytes.Buffer
}

// Write takes one line, as the logger gives them.
func (l *Log) Write(line []byte) (int, error) {
	var said struct {
		Message string `json:"message"`
		URL     string `json:"url"`
	}
	if err := json.Unmarshal(line, &said); err == nil && said.Message == "listening" {
		l.listening <- said.URL
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines.Write(line)
	return len(line), nil
}

// String returns all lines so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}
