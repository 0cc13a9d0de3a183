package edge_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"order-processing-service/test/program"
)

// patience is how long anything may take.
const patience = 20 * time.Second

const order = `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":1}]}`

// settings are settings by variable name.
type settings = map[string]string

// address is where the program listens.
func address(p *program.Program) string {
	_, host, _ := strings.Cut(p.URL, "://")
	return host
}

// dial opens a connection, from a loopback address of the test's choice ("" for any), and sends a text.
func dial(t *testing.T, p *program.Program, from, text string) net.Conn {
	t.Helper()
	d := net.Dialer{Timeout: patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := d.DialContext(t.Context(), "tcp", address(p))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if text != "" {
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// answer is an answer without its body.
type answer struct {
	StatusCode, ProtoMajor int
	Status, Proto          string
	Header                 http.Header
	Close                  bool
}

func answerOf(r *http.Response) answer {
	return answer{r.StatusCode, r.ProtoMajor, r.Status, r.Proto, r.Header, r.Close}
}

// read reads an answer and its body.
func read(t *testing.T, from *bufio.Reader) (answer, string) {
	t.Helper()
	response, err := http.ReadResponse(from, &http.Request{Method: http.MethodPost})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answerOf(response), string(body)
}

// ended waits until the other end closes, and reports how many bytes came before.
func ended(t *testing.T, conn net.Conn) int64 {
	t.Helper()
	n, err := io.Copy(io.Discard, conn)
	if nerr, ok := err.(net.Error); ok && nerr.Timeout() { //nolint:errorlint // it comes as it is
		t.Fatal("the connection is not closed")
	}
	return n
}

// client returns a client that trusts what config says.
func client(t *testing.T, config *tls.Config) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// get asks for a path, and reads the whole answer.
func get(t *testing.T, c *http.Client, url string, header http.Header) (answer, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answerOf(response), string(body)
}

// line is one of the log.
type line struct{ Level, Message, URL string }

// await waits until a line of the log has the message, and returns it.
func await(t *testing.T, p *program.Program, message string) line {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for {
		for text := range strings.Lines(p.Log.String()) {
			var l line
			if err := json.Unmarshal([]byte(text), &l); err == nil && l.Message == message {
				return l
			}
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("no line says %q: %s", message, p.Log)
		}
	}
}
