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
	http.Handler
	rests []time.Duration // asked for
	open  chan struct{}
}

func newFull(adjust func(*httpapi.Config)) *full {
	f := &full{open: make(chan struct{})}
	f.Handler = inProcess(func(c *httpapi.Config) {
		m := memory.New().Open()
		c.Orders = orders(m, &scripted{Store: m, get: func(context.Context) (*order.Order, error) {
			<-f.open
			return nil, order.ErrNotFound
		}})
		c.Rest = func(_ context.Context, d time.Duration) { f.rests = append(f.rests, d) }
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

// Of those who are let in, only the served have others be refused more often.
func TestPaceCountsTheServed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		path   string
		status int
		want   time.Duration // the rest of one who is refused, after 1,000 of these in a second
	}{
		{"served", "/orders", 200, 10 * time.Millisecond},
		{"wrong", "/orders?limit=0", 422, time.Second},
		{"not let in", "/orders?customer_id=stranger", 401, time.Second},
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
				for range 1000 {
					if w := ask(t, f, "GET", tt.path, nil); w.Code != tt.status {
						t.Fatalf("%d %s", w.Code, w.Body)
					}
				}
				<-time.After(time.Second)
				f.fill(t)
				if w := ask(t, f, "GET", "/orders", nil); w.Code != 503 {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
				if len(f.rests) != 1 || f.rests[0] != tt.want {
					t.Errorf("rests for %v, want %v", f.rests, tt.want)
				}
			})
		})
	}
}

// Nobody is served: rests are as long as they may be, and no longer than the client is told to stay away.
func TestHowLongConnectionsRest(t *testing.T) {
	const direct, proxy = "203.0.113.9:4000", "10.0.0.1:4000"
	for _, tt := range []struct {
		name    string
		longest time.Duration
		remote  string
		want    []time.Duration
	}{
		{"as Retry-After says", 0, direct, []time.Duration{time.Second, time.Second}},
		{"no longer, whatever is set", time.Hour, direct, []time.Duration{time.Second, time.Second}},
		{"shorter than connections may be idle", 300 * time.Millisecond, direct, []time.Duration{300 * time.Millisecond, 300 * time.Millisecond}},
		{"not for all users of a proxy", 0, proxy, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFull(func(c *httpapi.Config) {
					c.LongestRest, c.TrustedProxies = tt.longest, clients.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
				})
				f.fill(t)
				<-time.After(time.Minute)
				for range 2 {
					w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders", nil)
					r.RemoteAddr = tt.remote
					f.ServeHTTP(w, r)
					if w.Code != 503 || w.Header().Get("Retry-After") != "1" {
						t.Errorf("%d %v", w.Code, w.Header())
					}
				}
				if diff := cmp.Diff(tt.want, f.rests); diff != "" {
					t.Errorf("rests (-want +got):\n%s", diff)
				}
			})
		})
	}
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
			c.Rest = func(_ context.Context, d time.Duration) { rests = append(rests, d) }
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
