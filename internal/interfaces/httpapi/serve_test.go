package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// scripted is a store whose reads and pings do what a test says.
type scripted struct {
	ordering.Store
	get    func(context.Context) (*order.Order, error)
	create func(context.Context) error // what is answered for each order
	ping   func(context.Context) error
}

func (s *scripted) Create(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
	if s.create == nil {
		return s.Store.Create(ctx, orders)
	}
	err := s.create(ctx)
	answers := make([]ordering.Created, len(orders))
	for i := range answers {
		answers[i].Err = err
	}
	return answers
}

func (s *scripted) Get(ctx context.Context, id order.ID) (*order.Order, error) {
	if s.get != nil {
		return s.get(ctx)
	}
	return s.Store.Get(ctx, id)
}

func (s *scripted) Ping(ctx context.Context) error {
	if s.ping != nil {
		return s.ping(ctx)
	}
	return s.Store.Ping(ctx)
}

// on starts a service on a scripted store.
func on(t *testing.T, store *scripted, adjust func(*httpapi.Config)) *service {
	t.Helper()
	return start(t, func(c *httpapi.Config, m *memory.Store) {
		store.Store = m
		c.Orders = orders(m, store)
		if adjust != nil {
			adjust(c)
		}
	})
}

func TestInternalErrorsShowNothing(t *testing.T) {
	secret := errors.New("password=hunter2 at /var/lib/orders.db")
	for name, get := range map[string]func(context.Context) (*order.Order, error){
		"an error": func(context.Context) (*order.Order, error) { return nil, secret },
		"a panic":  func(context.Context) (*order.Order, error) { panic(secret) },
	} {
		t.Run(name, func(t *testing.T) {
			s := on(t, &scripted{get: get}, nil)
			a := s.do("GET", nowhere, "", "X-Request-ID: r-1")
			p := decoded[wire.Problem](t, a)
			if a.status != 500 || p.Code != "internal" || p.RequestID != "r-1" || strings.Contains(a.body+headerText(a.header), "hunter2") {
				t.Errorf("%d %s", a.status, a.body)
			}
			if log := s.log.String(); !strings.Contains(log, "hunter2") || !strings.Contains(log, `"level":"ERROR"`) {
				t.Errorf("the operator is not told: %s", log)
			}
			if name == "a panic" && !strings.Contains(s.log.String(), "serve_test.go") {
				t.Errorf("the stack is missing: %s", s.log)
			}
		})
	}
}

func TestStoreThatIsAway(t *testing.T) {
	s := start(t, nil)
	path := "/orders/" + s.place(tea).ID
	s.memory.SetAway(true)
	for _, c := range []struct{ method, path, body string }{
		{"GET", path, ""},
		{"GET", "/orders", ""},
		{"GET", "/orders/export", ""},
		{"GET", path + "/timeline", ""},
		{"POST", "/orders", tea},
		{"PATCH", path, `{"status":"PAID"}`},
		{"GET", "/deliveries", ""},
		{"POST", "/deliveries/" + path[8:] + "/books/skip", ""},
		{"GET", "/health/ready", ""},
	} {
		a := s.do(c.method, c.path, c.body)
		if a.status != 503 || a.header.Get("Retry-After") != "1" || decoded[wire.Problem](t, a).Code != "store_unavailable" {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
	}
	a := s.do("POST", "/orders/batch", `{"orders":[`+tea+`]}`)
	if r := decoded[wire.BatchResults](t, a).Results; r[0].Status != 503 {
		t.Errorf("a batch: %+v", r)
	}
	for _, path := range []string{"/health", "/health/live?probe=1"} {
		if a := s.do("GET", path, ""); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestRequestsThatTakeTooLong(t *testing.T) {
	wait := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	store := &scripted{ping: wait, get: func(ctx context.Context) (*order.Order, error) { return nil, wait(ctx) }}
	// One time-out at a time: on a busy machine two that are close to each other are over at once.
	for path, c := range map[string]struct {
		code   string
		adjust func(*httpapi.Config)
	}{
		nowhere:         {"request_timeout", func(c *httpapi.Config) { c.RequestTimeout = 10 * time.Millisecond }},
		"/health/ready": {"not_ready", func(c *httpapi.Config) { c.ReadyTimeout = 10 * time.Millisecond }},
	} {
		a := on(t, store, c.adjust).do("GET", path, "")
		if a.status != 503 || a.header.Get("Retry-After") == "" || decoded[wire.Problem](t, a).Code != c.code {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// An order of a batch for which there was no time is no defect of the service's: trying again helps.
func TestBatchesThatTakeTooLong(t *testing.T) {
	s := on(t, &scripted{create: func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("write: %w", ctx.Err())
	}}, func(c *httpapi.Config) { c.RequestTimeout = 10 * time.Millisecond })
	a := s.do("POST", "/orders/batch", `{"orders":[`+tea+`,`+tea+`]}`)
	for _, r := range decoded[wire.BatchResults](t, a).Results {
		if r.Status != 503 || r.Problem == nil || r.Problem.Code != "request_timeout" {
			t.Errorf("a result is %+v, want that it took too long", r)
		}
	}
	if strings.Contains(s.log.String(), `"level":"ERROR"`) {
		t.Errorf("the log reports a defect: %s", s.log)
	}
}

func TestOnlySoManyAtOnce(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	s := on(t, &scripted{get: func(context.Context) (*order.Order, error) {
		begun <- struct{}{}
		<-end
		return nil, order.ErrNotFound
	}}, func(c *httpapi.Config) { c.MaxConcurrent = 1 })
	answers := make(chan answer, 1)
	go func() {
		a, _ := s.try("GET", nowhere, nil)
		answers <- a
	}()
	<-begun
	a := s.do("GET", "/orders", "")
	if a.status != 503 || a.header.Get("Retry-After") == "" || decoded[wire.Problem](t, a).Code != "too_busy" {
		t.Errorf("one too many: %d %s", a.status, a.body)
	}
	if a := s.do("GET", "/health/ready", ""); a.status != 200 {
		t.Errorf("a probe while busy: %d %s", a.status, a.body)
	}
	close(end)
	if a := <-answers; a.status != 404 {
		t.Errorf("the one at work: %d", a.status)
	}
	if a := s.do("GET", "/orders", ""); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}

func TestIdentify(t *testing.T) {
	s := start(t, func(c *httpapi.Config, _ *memory.Store) {
		c.Identify = func(r *http.Request) (access.Caller, error) {
			if name := r.Header.Get("Authorization"); name != "" {
				return access.Caller{Subject: name, Scopes: access.Read | access.Write}, nil
			}
			return access.Caller{}, fault.New(fault.Unauthenticated, "token_missing", "send a token")
		}
	})
	a, err := s.try("POST", "/orders", strings.NewReader(tea))
	if err != nil || a.status != 401 || a.header.Get("WWW-Authenticate") == "" || decoded[wire.Problem](t, a).Code != "token_missing" {
		t.Errorf("%d %s %v", a.status, a.body, err)
	}
	id := s.place(tea, "Authorization: ana").ID
	a = s.do("GET", "/orders/"+id+"/timeline", "", "Authorization: ben")
	if e := decoded[wire.Timeline](t, a).Events[0]; *e.Actor != "ana" {
		t.Errorf("the actor is %s", *e.Actor)
	}
	if a := s.do("GET", "/health", ""); a.status != 200 {
		t.Errorf("health asks who calls: %d", a.status)
	}
}

func TestLogLines(t *testing.T) {
	s := start(t, nil)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	id := s.place(tea, "X-Request-ID: given-1", "traceparent: 00-"+trace+"-00f067aa0ba902b7-01").ID
	for sent, want := range map[string]string{"ok.ID-7": "ok.ID-7", "no good": "", strings.Repeat("x", 129): "", "a\tb": ""} {
		got := s.do("GET", "/orders/"+id+"?customer=c-1", "", "X-Request-ID: "+sent).header.Get("X-Request-ID")
		if want != "" && got != want || want == "" && (got == sent || len(got) < 16) {
			t.Errorf("the id %q became %q", sent, got)
		}
	}
	s.do("GET", "/orders?customer_id=c-1", "")
	s.do("GET", "/health", "")
	s.do("BREW", "/c-1", "")

	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	if len(lines) != 8 {
		t.Fatalf("%d lines for 8 requests: %s", len(lines), s.log)
	}
	for _, line := range lines {
		if strings.Contains(line, "c-1") || strings.Contains(line, id) || strings.Contains(line, "TEA") {
			t.Errorf("a customer's data is in %s", line)
		}
	}
	type entry struct {
		Level, Msg, Method string
		Route              *string
		Status, Bytes      int
		Duration           *int64 `json:"duration_us"`
	}
	at := func(e entry, route string) bool { return e.Route != nil && *e.Route == route }
	read := func(line string) (e entry) {
		t.Helper()
		if err := json.Unmarshal([]byte(line), &e, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := read(lines[0])
	if e.Level != "INFO" || e.Method != http.MethodPost || !at(e, "/orders") || e.Status != 201 || e.Bytes < 600 || e.Duration == nil {
		t.Errorf("placing is logged as %s", lines[0])
	}
	if e := read(lines[1]); !at(e, "/orders/{order_id}") || e.Status != 422 {
		t.Errorf("reading is logged as %s", lines[1])
	}
	if e := read(lines[6]); e.Level != "DEBUG" || !at(e, "/health") {
		t.Errorf("health is logged as %s", lines[6])
	}
	if e := read(lines[7]); e.Method != "_OTHER" || e.Route != nil || e.Status != 404 {
		t.Errorf("what is not there is logged as %s", lines[7])
	}
}
