package httpapi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

const mebibyte = 1 << 20

// holding starts a service that holds so many bytes of bodies at once, of 1 MiB at most each.
func holding(t *testing.T, limit int64) *service {
	t.Helper()
	return start(t, func(c *httpapi.Config, _ *memory.Store) {
		c.MaxBody, c.MaxBatchBody, c.MaxInFlightBytes = mebibyte, mebibyte, limit
	})
}

// slow is a client that sends its body when the test says so.
type slow struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// call sends the header of a batch, with how its body comes. It returns the status of the first answer:
// 100 as soon as the service begins to read the body.
func (s *service) call(t *testing.T, framing string) (*slow, int) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := &slow{t: t, conn: conn, r: bufio.NewReader(conn)}
	c.send("POST /orders/batch HTTP/1.1\r\nHost: orders\r\nExpect: 100-continue\r\n" + framing + "\r\n\r\n")
	return c, c.answer().status
}

func (c *slow) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads one answer; a refusal must be a problem that says when to come back.
func (c *slow) answer() answer {
	c.t.Helper()
	response, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(text)}
	if a.status == http.StatusServiceUnavailable && (decoded[wire.Problem](c.t, a).Code != "too_busy" || !retries(a)) {
		c.t.Errorf("refused with %v %s", a.header, a.body)
	}
	return a
}

func length(n int) string { return fmt.Sprintf("Content-Length: %d", n) }

// callMany makes so many calls and returns those that are being read; the others were refused.
func (s *service) callMany(t *testing.T, calls int, framing string) []*slow {
	t.Helper()
	var admitted []*slow
	for range calls {
		switch c, status := s.call(t, framing); status {
		case http.StatusContinue:
			admitted = append(admitted, c)
		case http.StatusServiceUnavailable:
		default:
			t.Errorf("status %d", status)
		}
	}
	return admitted
}

// awaitPlace places an order as soon as there is room for it.
func (s *service) awaitPlace(t *testing.T) {
	t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for {
		switch a := s.do("POST", "/orders", tea); {
		case a.status == http.StatusCreated:
			return
		case a.status != http.StatusServiceUnavailable || time.Now().After(limit):
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
}

func TestBodiesAreBoundedTogether(t *testing.T) {
	s := holding(t, 4*mebibyte)
	admitted := s.callMany(t, 32, length(mebibyte))
	if len(admitted) != 4 {
		t.Fatalf("%d bodies of 1 MiB are being read, want 4", len(admitted))
	}
	for _, c := range admitted { // nearly all of it, and it stays there
		c.send(strings.Repeat(" ", mebibyte-1))
	}
	if a := s.do("POST", "/orders", tea); a.status != 503 || decoded[wire.Problem](t, a).Code != "too_busy" {
		t.Errorf("a small body beside them: %d %s", a.status, a.body)
	}
	if a := s.do("GET", "/orders", ""); a.status != 200 {
		t.Errorf("a request without a body: %d %s", a.status, a.body)
	}

	admitted[0].send("{") // comes whole
	if a := admitted[0].answer(); a.status != 400 {
		t.Errorf("a body that came whole: %d %s", a.status, a.body)
	}
	s.awaitPlace(t)
	if err := admitted[1].conn.Close(); err != nil { // is given up
		t.Fatal(err)
	}
	for range 2 { // there is room for two again, and only for two
		s.awaitAdmission(t, length(mebibyte))
	}
	if more := s.callMany(t, 4, length(mebibyte)); len(more) != 0 {
		t.Errorf("%d more are being read", len(more))
	}
}

// awaitAdmission makes a call as soon as there is room for it.
func (s *service) awaitAdmission(t *testing.T, framing string) {
	t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for len(s.callMany(t, 1, framing)) == 0 {
		if time.Now().After(limit) {
			t.Fatal("there is no room")
		}
	}
}

func TestBodiesOfUnknownLengthWeighWhatCame(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked"
	chunk := func(n int) string { return fmt.Sprintf("%x\r\n%s\r\n", n, strings.Repeat(" ", n)) }
	s := holding(t, mebibyte)
	if admitted := s.callMany(t, 1, length(mebibyte-64<<10)); len(admitted) != 1 {
		t.Fatal("the first is refused")
	}
	c, status := s.call(t, chunked)
	if status != http.StatusContinue {
		t.Fatalf("a body that may be small is answered with %d", status)
	}
	c.send(chunk(32 << 10))
	c.send(chunk(48 << 10)) // now it is larger than what is left
	if a := c.answer(); a.status != http.StatusServiceUnavailable {
		t.Errorf("a body that grew too large: %d %s", a.status, a.body)
	}
	s.awaitPlace(t) // it has given back what it had

	c, _ = s.call(t, chunked)
	c.send(chunk(16<<10) + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(`{"orders":[`+tea+`]}`), `{"orders":[`+tea+`]}`))
	if a := c.answer(); a.status != http.StatusOK {
		t.Errorf("a body that fits: %d %s", a.status, a.body)
	}
}

func TestSmallBodiesWeighFourKibibytes(t *testing.T) {
	s := holding(t, mebibyte)
	counts := map[string]int{}
	for _, framing := range []string{length(1), length(5 << 10)} {
		room := s.callMany(t, 1, length(mebibyte-64<<10))
		admitted := s.callMany(t, 24, framing)
		counts[framing] = len(admitted)
		for _, c := range append(admitted, room...) {
			if err := c.conn.Close(); err != nil {
				t.Fatal(err)
			}
		}
		s.awaitAdmission(t, length(mebibyte)) // which takes all of it, until it is closed in turn
		s = holding(t, mebibyte)
	}
	if diff := cmp.Diff(map[string]int{length(1): 16, length(5 << 10): 12}, counts); diff != "" {
		t.Errorf("bodies in 64 KiB (-want +got):\n%s", diff)
	}
}

// The largest body that is allowed finds room in a service in which nothing else goes on.
func TestTheLargestBodyAlwaysFits(t *testing.T) {
	if admitted := holding(t, 1).callMany(t, 1, length(mebibyte)); len(admitted) != 1 {
		t.Error("it is refused")
	}
}
