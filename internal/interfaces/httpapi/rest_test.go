package httpapi_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
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
