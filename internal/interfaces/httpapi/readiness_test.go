package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// probe asks a service in a bubble, where the clock is the test's and no network is to be had.
type probe struct {
	http.Handler
	pings int
}

// newProbe returns a service whose store answers a ping with what ping returns.
func newProbe(ping func(context.Context) error) *probe {
	p, m := new(probe), memory.New().Open()
	store := &scripted{Store: m, ping: func(ctx context.Context) error {
		p.pings++
		return ping(ctx)
	}}
	p.Handler = httpapi.New(httpapi.Config{Orders: orders(m, store), Version: "test", ReadyTimeout: 2 * time.Second})
	return p
}

func (p *probe) ask(ctx context.Context) answer {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/health/ready", nil))
	return answer{status: w.Code, header: w.Header(), body: w.Body.String()}
}

func (p *probe) want(t *testing.T, status, pings int) {
	t.Helper()
	a := p.ask(t.Context())
	if a.status != status || p.pings != pings {
		t.Errorf("%d after %d pings, want %d after %d: %s", a.status, p.pings, status, pings, a.body)
	}
}

func TestReadinessIsOnePingForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		p := newProbe(func(context.Context) error { <-goOn; return nil })
		const callers = 100
		got := make(chan answer, callers)
		gone, leave := context.WithCancel(t.Context())
		go p.ask(gone) // who begins it does not stay
		synctest.Wait()
		for range callers {
			go func() { got <- p.ask(t.Context()) }()
		}
		leave()
		synctest.Wait() // all of them wait
		close(goOn)
		for range callers {
			if a := <-got; a.status != 200 || decoded[wire.Health](t, a).Version != "test" {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
		p.want(t, 200, 1)
		time.Sleep(time.Second)
		p.want(t, 200, 2)
	})
}

func TestReadinessRecoversWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var err error
		p := newProbe(func(context.Context) error { return err })
		err = fault.Wrap(errors.New("no disk"), fault.Unavailable, "store_unreachable", "it is away")
		p.want(t, 503, 1)
		err = nil
		time.Sleep(time.Second - time.Millisecond)
		p.want(t, 503, 1)
		time.Sleep(time.Millisecond)
		p.want(t, 200, 2)
	})
}

func TestReadinessOfABusyStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		newProbe(func(context.Context) error { return ordering.ErrStoreBusy }).want(t, 200, 1)
	})
}

// A store that keeps to no time holds up nobody longer than the others.
func TestReadinessOfAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		p := newProbe(func(context.Context) error { <-goOn; return nil })
		go p.ask(t.Context())
		synctest.Wait()
		begun := time.Now()
		a := p.ask(t.Context())
		if a.status != 503 || decoded[wire.Problem](t, a).Code != "not_ready" || time.Since(begun) != 2*time.Second {
			t.Errorf("%d after %s: %s", a.status, time.Since(begun), a.body)
		}
		close(goOn)
		synctest.Wait()
		p.want(t, 200, 1)
	})
}

// A defect in the store is that one caller's 500, and the next one looks anew.
func TestReadinessAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		p := newProbe(func(context.Context) error {
			if first {
				first = false
				panic("defect")
			}
			return nil
		})
		if a := p.ask(t.Context()); a.status != 500 || !strings.Contains(a.body, `"internal"`) {
			t.Errorf("%d %s", a.status, a.body)
		}
		p.want(t, 200, 2)
	})
}
