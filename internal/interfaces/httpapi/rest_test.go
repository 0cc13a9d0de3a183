package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
	"order-processing-service/internal/interfaces/httpapi/clients"
)

// full is an API in process whose one place can be taken.
type full struct {
	httpapi.Handler
	rests  []time.Duration // asked for, at most
	before int             // rest already
	open   chan struct{}
}

func newFull(adjust func(*httpapi.Config)) *full {
	f := &full{open: make(chan struct{})}
	f.Handler = inProcess(func(c *httpapi.Config) {
		m := memory.New().Open()
		c.Orders = orders(m, &scripted{Store: m, get: func(context.Context) (*order.Order, error) {
			<-f.open
			return nil, order.ErrNotFound
		}})
		c.Rest = func(_ context.Context, most time.Duration) int {
			if most > 0 {
				f.rests = append(f.rests, most)
			}
			return f.before
		}
		if adjust != nil {
			adjust(c)
		}
	})
	return f
}

// fill takes the place, until the end of the test.
func (f *full) fill(t *testing.T) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ask(t, f, "GET", nowhere, nil)
	}()
	t.Cleanup(func() {
		close(f.open)
		<-ended
	})
	synctest.Wait()
}

// Of those who are let in, only the served have those who were refused come again.
func TestPaceCountsTheServed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		path   string
		status int
		want   int // how many come again, when 1,000 of these are answered in a second: one of each second at least
	}{
		{"served", "/orders", 200, 20},
		{"wrong", "/orders?limit=0", 422, 1},
		{"not let in", "/orders?customer_id=stranger", 401, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFull(func(c *httpapi.Config) {
					c.Identify = func(r *http.Request) (access.Caller, error) {
						if r.URL.Query().Get("customer_id") == "stranger" {
							return access.Caller{}, fault.New(fault.Unauthenticated, "token_missing", "send a token")
						}
						return access.Caller{Scopes: access.Admin}, nil
					}
				})
				came := -f.Release()
				for range 1000 {
					if w := ask(t, f, "GET", tt.path, nil); w.Code != tt.status {
						t.Fatalf("%d %s", w.Code, w.Body)
					}
					<-time.After(time.Millisecond)
					came += f.Release() - 1 // for there is one free place
				}
				came++
				f.fill(t)
				if came += f.Release(); came != tt.want {
					t.Errorf("%d come again, want %d", came, tt.want)
				}
			})
		})
	}
}

// Connections rest for some time at most, and clients are told how long that may be.
func TestHowLongConnectionsRest(t *testing.T) {
	const direct, proxy = "203.0.113.9:4000", "10.0.0.1:4000"
	const longest, short = 20 * time.Second, 300 * time.Millisecond
	for _, tt := range []struct {
		name       string
		longest    time.Duration
		remote     string
		major      int
		want       []time.Duration
		retryAfter []string
		held       time.Duration // before they are told
	}{
		{"twenty seconds", 0, direct, 1, []time.Duration{longest, longest, longest}, []string{"1", "5", "20"}, 0},
		{"no longer, whatever is set", time.Hour, direct, 1, []time.Duration{longest, longest, longest}, []string{"1", "5", "20"}, 0},
		{"shorter than connections may be idle", short, direct, 1, []time.Duration{short, short, short}, []string{"1", "1", "1"}, 0},
		{"not for all users of a proxy", 0, proxy, 1, nil, []string{"1", "1", "1"}, time.Second},
		{"not for all requests of a connection", 0, direct, 2, nil, []string{"1", "1", "1"}, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFull(func(c *httpapi.Config) {
					c.LongestRest, c.TrustedProxies = tt.longest, clients.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
					c.MaxWaiting, c.QueueTimeout = 1, time.Nanosecond
				})
				f.fill(t)
				var held time.Duration
				for i, before := range []int{0, 4, 100} { // nobody is served meanwhile
					f.before = before
					w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders", nil)
					r.RemoteAddr, r.ProtoMajor = tt.remote, tt.major
					asked := time.Now()
					f.ServeHTTP(w, r)
					held += time.Since(asked)
					if w.Code != 503 || w.Header().Get("Retry-After") != tt.retryAfter[i] {
						t.Errorf("%d %v, want Retry-After: %s", w.Code, w.Header(), tt.retryAfter[i])
					}
					<-time.After(500 * time.Millisecond)
				}
				if diff := cmp.Diff(tt.want, f.rests); diff != "" {
					t.Errorf("rests (-want +got):\n%s", diff)
				}
				if held.Round(time.Millisecond) != tt.held {
					t.Errorf("held back for %v, want %v", held, tt.held)
				}
			})
		})
	}
}

// Who is refused with a body that is not read is told to stay away as long as others, though its connection is closed.
func TestLargeBodiesComeNoSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFull(nil)
		f.fill(t)
		ask(t, f, "GET", "/orders", nil)
		<-time.After(500 * time.Millisecond) // nobody is served
		f.before = 6
		for size, connection := range map[int]string{10: "", 5000: "close"} {
			w := ask(t, f, "POST", "/orders", strings.NewReader(strings.Repeat(" ", size)))
			if h := w.Header(); w.Code != 503 || h.Get("Connection") != connection || h.Get("Retry-After") != "7" {
				t.Errorf("%d bytes: %d %v", size, w.Code, h)
			}
		}
		if len(f.rests) != 2 {
			t.Errorf("rests for %v", f.rests)
		}
	})
}

// A request that has its place already is not held back in it.
func TestRefusalsAtWorkAreNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		api := inProcess(func(c *httpapi.Config) {
			m := memory.New().Open()
			c.MaxConcurrent, c.MaxWaiting, c.QueueTimeout = 2, 2, time.Nanosecond
			c.Orders = orders(m, &scripted{Store: m, create: func(context.Context) error {
				<-open
				return order.ErrNotFound
			}})
		})
		send := func() (took time.Duration) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/orders/batch", strings.NewReader(`{"orders":[`+tea+`]}`))
			r.Header.Set("Content-Type", "application/json")
			r.ProtoMajor = 2
			asked := time.Now()
			api.ServeHTTP(httptest.NewRecorder(), r)
			return time.Since(asked)
		}
		ended := make(chan time.Duration, 1)
		go func() { ended <- send() }() // batches have one place
		synctest.Wait()
		send()
		<-time.After(500 * time.Millisecond) // nobody is served, so that refusals are held back
		if d := send(); d > time.Millisecond {
			t.Errorf("a batch that has a place, but may not go on, keeps it for %v", d)
		}
		close(open)
		<-ended
	})
}

// Refusals are held back for a second at most, only as many as may wait, and not when their client has gone.
func TestHeldRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFull(func(c *httpapi.Config) { c.MaxWaiting, c.QueueTimeout = 2, time.Nanosecond })
		f.fill(t)
		ask2 := func(ctx context.Context) time.Duration {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/orders", nil)
			r.ProtoMajor = 2
			asked := time.Now()
			f.ServeHTTP(httptest.NewRecorder(), r)
			return time.Since(asked)
		}
		ask2(t.Context())
		<-time.After(500 * time.Millisecond) // nobody is served, so that the next ones are held for as long as may be
		took := make(chan time.Duration, 2)
		for range 2 {
			go func() { took <- ask2(t.Context()) }()
		}
		<-time.After(time.Millisecond)
		if d := ask2(t.Context()); d > time.Millisecond {
			t.Errorf("one more than may wait is held for %v", d)
		}
		if n := f.Held(); n != 2 {
			t.Errorf("%d are held, want 2", n)
		}
		for range 2 {
			if d := <-took; d < time.Second || d > 1001*time.Millisecond {
				t.Errorf("held for %v", d)
			}
		}
		ask2(t.Context())
		<-time.After(200 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if d := ask2(ctx); d != 100*time.Millisecond {
			t.Errorf("held for %v though its client has gone", d)
		}
		if n := f.Held(); n != 0 {
			t.Errorf("%d are held at the end", n)
		}
	})
}

// A connection goes on after a batch for which there was no place once it had been read; one with a body that is still to come does not.
func TestWhatWasReadClosesNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		var rests []time.Duration
		api := inProcess(func(c *httpapi.Config) {
			m := memory.New().Open()
			c.MaxConcurrent = 2
			c.Orders = orders(m, &scripted{Store: m, create: func(context.Context) error {
				<-open
				return order.ErrNotFound
			}})
			c.Rest = func(_ context.Context, most time.Duration) int {
				if most > 0 {
					rests = append(rests, most)
				}
				return 0
			}
		})
		batch := `{"orders":[` + tea + strings.Repeat(" ", 5<<10) + `]}`
		first := make(chan int, 2)
		go func() { first <- ask(t, api, "POST", "/orders/batch", strings.NewReader(batch)).Code }()
		synctest.Wait()
		w := ask(t, api, "POST", "/orders/batch", strings.NewReader(batch)) // batches have one place
		if w.Code != 503 || w.Header().Get("Connection") != "" || len(rests) != 1 {
			t.Errorf("a batch that was read: %d %v, rests for %v", w.Code, w.Header(), rests)
		}
		go func() { first <- ask(t, api, "POST", "/orders", strings.NewReader(tea)).Code }()
		synctest.Wait()
		w = ask(t, api, "POST", "/orders/batch", strings.NewReader(batch))
		if w.Code != 503 || w.Header().Get("Connection") != "close" || len(rests) != 1 {
			t.Errorf("a batch that was not: %d %v, rests for %v", w.Code, w.Header(), rests)
		}
		close(open)
		<-first
		<-first
	})
}
