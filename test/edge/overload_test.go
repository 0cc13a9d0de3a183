package edge_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"order-processing-service/test/program"
)

// TestRefusedConnectionsWait for a place: a client that was told to come later, and asks at once on the same connection, is read when
// there is one, long before the 20 s for which it may be left unread. It is read at once if a proxy is known to be in front.
func TestRefusedConnectionsWait(t *testing.T) {
	const early = 10 * time.Second
	for _, proxy := range []string{"false", "true"} {
		t.Run("TRUST_PROXY="+proxy, func(t *testing.T) {
			p := program.Start(t, t.TempDir(), settings{"MAX_CONCURRENT_REQUESTS": "1", "MAX_QUEUED_REQUESTS": "0", "TRUST_PROXY": proxy})
			if told := strings.Contains(p.Log.String(), "TRUST_PROXY is set, but TRUSTED_PROXIES is not"); told != (proxy == "true") {
				t.Errorf("the log says which proxy is not named: %v", told)
			}
			taker := takePlace(t, p)
			began := time.Now()
			conn := dial(t, p, "", "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n")
			from := bufio.NewReader(conn)
			if refused, body := read(t, from); refused.StatusCode != http.StatusServiceUnavailable || refused.Header.Get("Retry-After") != "1" {
				t.Fatalf("%s %v %s", refused.Status, refused.Header, body)
			}
			asked := time.Now()
			if _, err := io.WriteString(conn, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if proxy == "false" {
				if a, body := get(t, client(t, nil), p.URL+"/health/live", nil); a.StatusCode != http.StatusOK { // others are read
					t.Errorf("%s %s", a.Status, body)
				}
				if err := conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
					t.Fatal(err)
				}
				if b, err := from.Peek(1); err == nil && time.Since(began) < time.Second { // one a second is read in any case
					t.Errorf("it was read at once: %q", b)
				}
				if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
				taker.Close()
			}
			if a, body := read(t, from); a.StatusCode != http.StatusOK || time.Since(asked) > early {
				t.Errorf("%s after %v: %s", a.Status, time.Since(asked), body)
			}
		})
	}
}

// takePlace begins an export that is larger than what lies between the two ends, and does not read it.
func takePlace(t *testing.T, p *program.Program) io.Closer {
	t.Helper()
	const batches, each = 16, 1000
	batch := `{"orders":[` + strings.Repeat(order+",", each-1) + order + `]}`
	for range batches {
		conn := dial(t, p, "", fmt.Sprintf("POST /orders/batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			len(batch), batch))
		if a, body := read(t, bufio.NewReader(conn)); a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %.300s", a.Status, body)
		}
		conn.Close()
	}
	conn := dial(t, p, "", "GET /orders/export HTTP/1.1\r\nHost: a\r\n\r\n")
	if first, err := bufio.NewReaderSize(conn, 64).ReadString('\n'); err != nil || !strings.Contains(first, "200 OK") {
		t.Fatalf("%q, %v", first, err)
	}
	return conn
}
