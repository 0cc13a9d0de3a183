package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// stacked starts a service with two places, in which nobody waits, and with orders whose list is larger than what a connection takes
// that nobody reads from: its connections take little.
func stacked(t *testing.T, adjust func(*httpapi.Config)) *service {
	t.Helper()
	s := start(t, func(c *httpapi.Config, _ *memory.Store) {
		c.MaxConcurrent, c.MaxInFlightBytes = 2, 256*mebibyte
		if adjust != nil {
			adjust(c)
		}
	})
	items := make([]string, 900)
	for i := range items {
		items[i] = fmt.Sprintf(`{"sku":"TEA-%d","name":%q,"quantity":1,"unit_price":2.5}`, i, strings.Repeat("n", 190))
	}
	body := `{"customer_id":"c-1","items":[` + strings.Join(items, ",") + `]}`
	for range 8 { // more than a page, which is some 2 MB
		s.place(body)
	}
	server := httptest.NewUnstartedServer(s.api)
	server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if tcp, ok := conn.(*net.TCPConn); ok && state == http.StateNew {
			_ = tcp.SetWriteBuffer(16 << 10) // a test without it would fail
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// askOnly sends a request for the list over HTTP/1 and reads no more of the answer than its status.
func (s *service) askOnly(t *testing.T) int {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /orders?limit=100 HTTP/1.1\r\nHost: orders\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil) //nolint:bodyclose // it is never read: that is what this is for
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// TestSlowReadersKeepNobodyOut has clients that never read their answers take all places, over HTTP/1.
func TestSlowReadersKeepNobodyOut(t *testing.T) {
	s := stacked(t, nil)
	for i := range 4 {
		if status := s.askOnly(t); status != 200 {
			t.Fatalf("answer %d: status %d", i, status)
		}
	}
	s.place(tea)
}

// TestSlowReadersOverHTTP2KeepNobodyOut is the same over HTTP/2, where an answer that is not read stops at the flow control.
func TestSlowReadersOverHTTP2KeepNobodyOut(t *testing.T) {
	s := stacked(t, nil)
	server := httptest.NewUnstartedServer(s.api)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	client := server.Client()
	for i := range 4 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/orders?limit=100", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		if response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
			t.Fatalf("answer %d: %s %s", i, response.Proto, response.Status)
		}
	}
	s.place(tea)
}

// TestUnreadAnswersAreBounded has clients that never read hold as much memory as answers may have, and no more.
func TestUnreadAnswersAreBounded(t *testing.T) {
	s := stacked(t, func(c *httpapi.Config) { c.MaxBatchBody, c.MaxInFlightBytes = mebibyte, mebibyte })
	if status := s.askOnly(t); status != 200 { // though it is larger than that
		t.Fatalf("status %d", status)
	}
	tooBusy(t, s.do("GET", "/orders?limit=100", ""))
	for _, path := range []string{"/orders?limit=100&customer_id=nobody", "/health"} {
		if a := s.do("GET", path, ""); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	s.place(tea)
}
