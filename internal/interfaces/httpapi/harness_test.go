package httpapi_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// service is the API on a memory store, over real HTTP, with a dispatcher that nobody runs: what is
// to be told stays waiting. Every answer is held against /openapi.json.
type service struct {
	t        testing.TB
	url      string
	client   *http.Client
	api      httpapi.Handler
	memory   *memory.Memory
	store    *memory.Store
	log      *lockedBuffer
	contract *contract
}

// subscriberName is the one subscriber of the tests.
const subscriberName = "books"

// waiting is a teller that hands nothing on: the store keeps what is to be told.
type waiting struct{ ordering.Teller }

func (waiting) Offer(time.Time) delivery.Handover {
	return delivery.Handover{Subscribers: []string{subscriberName}}
}

// ticks returns a clock that goes on by a millisecond each time it is read.
func ticks() func() time.Time {
	var ticks atomic.Int64
	return func() time.Time {
		return time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC).Add(time.Duration(ticks.Add(1)) * time.Millisecond)
	}
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts a service; adjust may change what it is made of.
func start(t testing.TB, adjust func(*httpapi.Config, *memory.Store)) *service {
	t.Helper()
	s := &service{
		t: t, memory: memory.New(), log: new(lockedBuffer), contract: contractOf(t),
	}
	s.store = s.memory.Open()
	config := httpapi.Config{
		Orders:     orders(s.store, s.store),
		Deliveries: delivery.NewOperations(s.store, func() {}, ticks()),
		Log:        slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Version:    "test",
	}
	if adjust != nil {
		adjust(&config, s.store)
	}
	s.api = httpapi.New(config)
	server := httptest.NewServer(s.api)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.client = server.Client()
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

// orders returns the use cases on a store, which is m or stands in front of it.
func orders(m *memory.Store, store ordering.Store) *ordering.Service {
	teller := delivery.New(delivery.Config{Store: m})
	return ordering.New(ordering.Config{Store: store, Teller: waiting{teller}, Now: ticks(), DefaultCurrency: "EUR"})
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request: headers are "Name: value". The answer must be one that /openapi.json promises.
func (s *service) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	a, err := s.try(method, path, strings.NewReader(body), headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.contract.check(s.t, method, path, a)
	return a
}

// try sends a request and reads the whole answer.
func (s *service) try(method, path string, body io.Reader, headers ...string) (answer, error) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if body != nil && method != http.MethodGet && method != http.MethodHead {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			r.Header.Del(name)
			continue
		}
		r.Header.Add(name, value)
		if name == "Content-Type" {
			r.Header.Set(name, value)
		}
	}
	response, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: string(text)}, err
}

// place places an order that must be taken.
func (s *service) place(body string, headers ...string) wire.Order {
	s.t.Helper()
	a := s.do("POST", "/orders", body, headers...)
	if a.status != http.StatusCreated {
		s.t.Fatalf("the order was answered with %d: %s", a.status, a.body)
	}
	return decoded[wire.Order](s.t, a)
}

// decoded reads an answer strictly.
func decoded[T any](t testing.TB, a answer) T {
	t.Helper()
	var form T
	if err := json.Unmarshal([]byte(a.body), &form, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return form
}

const (
	tea     = `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":2,"unit_price":12.50}]}`
	nowhere = "/orders/6743f1a0c2d4e6f801234567"
)

// scenario is one request and what must come of it.
type scenario struct {
	name    string
	method  string
	path    string
	headers []string
	body    string

	status int
	code   string   // of the problem
	has    []string // in the body or the header
	lacks  []string // in both and in the log
}

// run plays the scenarios, one after the other, on one service.
func (s *service) run(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			at := *s
			at.t = t
			a := at.do(c.method, c.path, c.body, c.headers...)
			if a.status != c.status {
				t.Fatalf("status %d, want %d: %s", a.status, c.status, a.body)
			}
			if c.code != "" && decoded[wire.Problem](t, a).Code != c.code {
				t.Errorf("got %s, want the code %s", a.body, c.code)
			}
			all := a.body + "\n" + headerText(a.header)
			for _, want := range c.has {
				if !strings.Contains(all, want) {
					t.Errorf("%q is missing in %s", want, all)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(all, not) {
					t.Errorf("%q must not be in %s", not, all)
				}
			}
		})
	}
}

func headerText(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}
