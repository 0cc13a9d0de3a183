package metrics_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"order-processing-service/test/authority"
)

// TestWhoIsKeptWaitingIsCounted has clients be refused: one of HTTP/1, whose connection rests then, and one of HTTP/2, which is told so
// later.
func TestWhoIsKeptWaitingIsCounted(t *testing.T) {
	ca := authority.New(t)
	cert, key := ca.Server(t).Write(t, t.TempDir())
	r := start(t, map[string]string{
		"TLS_CERT_FILE": cert, "TLS_KEY_FILE": key, "MAX_CONCURRENT_REQUESTS": "1", "MAX_QUEUED_REQUESTS": "1", "QUEUE_TIMEOUT": "10ms",
	})
	trust := &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}
	r.client.Transport = &http.Transport{TLSClientConfig: trust} // of HTTP/1
	const resting, held = "orders_http_resting_connections", "orders_admission_held"
	r.within(t, map[string]float64{resting: 0, held: 0})

	giveBack := r.takePlace(t)
	for _, kept := range []struct {
		as      string
		version int // of HTTP
	}{{held, 2}, {resting, 1}} {
		stop := keepAsking(t, r.URL+"/orders", kept.version, trust)
		r.within(t, map[string]float64{kept.as: 1})
		stop()
	}
	giveBack()
	r.within(t, map[string]float64{resting: 0, held: 0})
}

// keepAsking sends one request after the other by a version of HTTP, on one connection, until it is stopped. All are refused.
func keepAsking(t *testing.T, url string, version int, trust *tls.Config) (stop func()) {
	t.Helper()
	// A transport of HTTP/2 writes into its configuration.
	transport := &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: version == 2}
	client := &http.Client{Timeout: patience, Transport: transport}
	enough := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-enough:
				return
			default:
			}
			request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			response, err := client.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode != http.StatusServiceUnavailable || response.ProtoMajor != version {
				t.Errorf("%s by %s", response.Status, response.Proto)
			}
		}
	})
	stop = sync.OnceFunc(func() {
		close(enough)
		asking.Wait()
		client.CloseIdleConnections()
	})
	t.Cleanup(stop)
	return stop
}

// takePlace begins an export that is larger than what lies between the two ends, and does not read it until the place is given back.
func (r *running) takePlace(t *testing.T) (giveBack func()) {
	t.Helper()
	const batches, each = 16, 1000
	batch := `{"orders":[` + strings.Repeat(tea+",", each-1) + tea + `]}`
	for range batches {
		r.do(t, http.StatusOK, "POST", r.URL+"/orders/batch", batch)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"/orders/export", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: r.client.Transport}).Do(request) // which has no time limit
	if err != nil {
		t.Fatal(err)
	}
	giveBack = sync.OnceFunc(func() { _ = response.Body.Close() })
	t.Cleanup(giveBack)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the export is answered %s", response.Status)
	}
	return giveBack
}
