package aws_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/bootstrap/config"
)

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

// service is a running program.
type service struct {
	url    string
	client *http.Client
	log    *output
	stop   func() // waits until it has ended; it may be called again
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

// start starts the program with an empty store; it is stopped with the test.
func start(t *testing.T, settings ...string) *service {
	t.Helper()
	return startProgram(t, bootstrap.Open, append([]string{"DATA_DIR=" + t.TempDir()}, settings...)...)
}

// startProgram starts the program that serves, or the one that takes commands.
func startProgram(t *testing.T, open func(context.Context, *config.Config, io.Writer) (*bootstrap.Service, error), settings ...string) *service {
	t.Helper()
	environ := append([]string{
		"PORT=0", "ADMIN_ADDR=127.0.0.1:0", "DELIVERY_BACKOFF_MIN=20ms", "DELIVERY_BACKOFF_MAX=200ms", "LOG_LEVEL=WARNING", "EVENTS=none", "MANIFESTS=none",
	}, settings...)
	c, err := bootstrap.Load(t.Context(), config.Source{Environ: environ})
	must(t, err)
	s := &service{log: new(output), client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	program, err := open(t.Context(), c, s.log)
	must(t, err)
	s.url = program.URL()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- program.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		s.client.CloseIdleConnections()
		stop()
		check(t, <-ended)
	})
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("the program wrote %.20000s", s.log)
		}
	})
	return s
}

// await waits until the program has written text count times.
func (s *service) await(t *testing.T, text string, count int) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); strings.Count(s.log.String(), text) < count; <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("the program wrote %s %d times, not %d", text, strings.Count(s.log.String(), text), count)
		}
	}
}

// ask sends a request and returns the body of its answer, which must have the status. Any goroutine may use it.
func (s *service) ask(ctx context.Context, method, path, body string, status int) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != status {
		err = fmt.Errorf("%s %s: status %d\n%s", method, path, response.StatusCode, text)
	}
	return text, err
}

func (s *service) get(t *testing.T, path string) []byte {
	t.Helper()
	body, err := s.ask(t.Context(), http.MethodGet, path, "", http.StatusOK)
	must(t, err)
	return body
}

const newOrder = `{"customer_id":"c-1","currency":"EUR","items":[{"sku":"TEA","name":"Green tea","quantity":2,"unit_price":12.50}]}`

// place places an order and returns its id.
func (s *service) place(ctx context.Context) (string, error) {
	body, err := s.ask(ctx, http.MethodPost, "/orders", newOrder, http.StatusCreated)
	if err != nil {
		return "", err
	}
	var o struct {
		ID string `json:"id"`
	}
	err = json.Unmarshal(body, &o, json.RejectUnknownMembers(false))
	return o.ID, err
}

// live takes an order from being placed to being delivered, and returns its id and how many events that made.
func (s *service) live(t *testing.T) (id string, events int) {
	t.Helper()
	id, err := s.place(t.Context())
	must(t, err)
	for _, status := range []string{"PAID", "SHIPPED", "DELIVERED"} {
		_, err := s.ask(t.Context(), http.MethodPatch, "/orders/"+id, `{"status":"`+status+`"}`, http.StatusOK)
		must(t, err)
	}
	var timeline struct {
		Events []struct{} `json:"events"`
	}
	must(t, json.Unmarshal(s.get(t, "/orders/"+id+"/timeline"), &timeline, json.RejectUnknownMembers(false)))
	return id, len(timeline.Events)
}

// awaitTold waits until nothing waits to be told.
func (s *service) awaitTold(t *testing.T) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); ; <-look.C {
		var page struct {
			Deliveries []any `json:"deliveries"`
		}
		must(t, json.Unmarshal(s.get(t, "/deliveries?state=waiting"), &page, json.RejectUnknownMembers(false)))
		if len(page.Deliveries) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d deliveries wait on", len(page.Deliveries))
		}
	}
}
