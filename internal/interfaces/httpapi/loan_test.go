package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// broken is a body whose reader panics after a while, which those of net/http never do.
type broken struct{ after time.Duration }

func (b broken) Read([]byte) (int, error) {
	<-time.After(b.after)
	panic("defect")
}

// inProcess returns the API with one place, in which nobody waits, for the inside of synctest.Test.
func inProcess(adjust func(*httpapi.Config)) httpapi.Handler {
	m := memory.New().Open()
	c := httpapi.Config{Orders: orders(m, m), MaxConcurrent: 1, RequestTimeout: time.Hour}
	if adjust != nil {
		adjust(&c)
	}
	return httpapi.New(c)
}

// ask returns the answer to a request that is sent in process.
func ask(t *testing.T, api http.Handler, method, path string, body io.Reader) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, body))
	return w
}

// A panic while a body is read, before or after its place was lent, neither loses a place nor makes one.
func TestAPanicEndsTheLoan(t *testing.T) {
	for name, after := range map[string]time.Duration{"held": 0, "lent": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				open := make(chan struct{})
				api := inProcess(func(c *httpapi.Config) {
					m := memory.New().Open()
					c.Orders = orders(m, &scripted{Store: m, get: func(context.Context) (*order.Order, error) {
						<-open
						return nil, order.ErrNotFound
					}})
				})
				if w := ask(t, api, "POST", "/orders", broken{after}); w.Code != 500 {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				inside := make(chan int, 1)
				go func() { inside <- ask(t, api, "GET", nowhere, nil).Code }()
				synctest.Wait()
				if w := ask(t, api, "POST", "/orders", strings.NewReader(tea)); w.Code != 503 {
					t.Errorf("a place too many: %d %s", w.Code, w.Body)
				}
				close(open)
				if code := <-inside; code != 404 {
					t.Errorf("a place is lost: %d", code)
				}
			})
		})
	}
}
