// Package callers_test tries who is let in, over HTTP and against the whole program: good tokens and forged ones, keys that an
// identity provider rotates, API keys, and the commands that make tokens and keys.
package callers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/bootstrap/config"
)

// patience is how long anything here may take at most.
const patience = 30 * time.Second

const (
	issuer   = "https://issuer.example/"
	audience = "orders-api"
)

// service is the program, running.
type service struct {
	url    string
	out    *output
	client *http.Client
}

// output is what the program writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs the program until the test ends. The settings are pairs NAME=value.
func start(t *testing.T, settings ...string) *service {
	t.Helper()
	environ := append([]string{"PORT=0", "DATA_DIR=" + t.TempDir(), "LOG_LEVEL=DEBUG", "MANIFESTS=none", "EVENTS=none"}, settings...)
	c, err := config.Load(config.Source{Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{out: new(output), client: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	program, err := bootstrap.Open(t.Context(), c, s.out)
	if err != nil {
		t.Fatal(err)
	}
	s.url = program.URL()
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- program.Run(ctx) }()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		stop()
		select {
		case err := <-stopped:
			if err != nil {
				t.Errorf("the service ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("the service does not stop")
		}
	})
	return s
}

// opened opens the program with the settings in the environment, and returns what is wrong with them.
func opened(t *testing.T) string {
	t.Helper()
	c, err := config.Load(config.Source{Environ: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	program, err := bootstrap.Open(t.Context(), c, io.Discard)
	if err != nil {
		return err.Error()
	}
	if err := program.Close(); err != nil {
		t.Error(err)
	}
	return ""
}

// answer is what the service says.
type answer struct {
	status    int
	code      string // of a problem
	challenge string
	body      string
}

// send makes a request with header lines as "Name: value".
func (s *service) send(tb testing.TB, method, path, body string, header ...string) answer {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		request.Header[http.CanonicalHeaderKey(name)] = append(request.Header[http.CanonicalHeaderKey(name)], value)
	}
	response, err := s.client.Do(request)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	a := answer{status: response.StatusCode, challenge: response.Header.Get("WWW-Authenticate"), body: string(text)}
	var problem struct{ Code string }
	if json.Unmarshal(text, &problem) == nil {
		a.code = problem.Code
	}
	return a
}

// get lists the orders with a token.
func (s *service) get(tb testing.TB, token string) answer {
	tb.Helper()
	return s.send(tb, "GET", "/orders", "", "Authorization: Bearer "+token)
}

const tea = `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":1}]}`

// eventually calls try until it is true.
func eventually(t *testing.T, what string, try func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	over := time.After(patience)
	for !try() {
		select {
		case <-ticker.C:
		case <-over:
			t.Fatalf("this never was so: %s", what)
		}
	}
}
