package proxy_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"order-processing-service/test/proxy"
)

// server answers every line with the same line, and remembers what it was sent.
type server struct {
	tb       testing.TB
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	got     bytes.Buffer
	ended   int           // connections whose client has hung up or is gone
	changed chan struct{} // closed, and replaced, when one of the above changes
}

// startServer starts a server that ends with the test; the proxy's end must come before, so start it first.
func startServer(tb testing.TB) *server {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &server{tb: tb, listener: listener, changed: make(chan struct{})}
	s.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() { s.serve(conn) })
		}
	})
	tb.Cleanup(s.close)
	return s
}

// addr is where the server listens.
func (s *server) addr() string { return s.listener.Addr().String() }

// close ends the server when its clients have hung up.
func (s *server) close() {
	_ = s.listener.Close()
	s.running.Wait()
}

func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	var line []byte
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		s.change(func() { s.got.Write(buffer[:n]) })
		line = append(line, buffer[:n]...)
		if end := bytes.LastIndexByte(line, '\n'); end >= 0 {
			if _, broken := conn.Write(line[:end+1]); broken != nil {
				err = broken
			}
			line = bytes.Clone(line[end+1:])
		}
		if err != nil {
			s.change(func() { s.ended++ })
			return
		}
	}
}

func (s *server) change(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait waits until is says so; it gets all that was sent, and how many connections have ended.
func (s *server) wait(what string, is func(got string, ended int) bool) {
	s.tb.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		got, ended, changed := s.got.String(), s.ended, s.changed
		s.mu.Unlock()
		if is(got, ended) {
			return
		}
		select {
		case <-changed:
		case <-limit:
			s.tb.Fatalf("the server does not see %s; it was sent %q, and %d clients have ended", what, got, ended)
		}
	}
}

// waitFor waits until the server was sent the text.
func (s *server) waitFor(text string) {
	s.tb.Helper()
	s.wait(text, func(got string, _ int) bool { return strings.Contains(got, text) })
}

// sent is all that the server was sent, by all clients, in the order in which it came.
func (s *server) sent() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.String()
}

// client is one connection to the proxy.
type client struct {
	tb   testing.TB
	conn *net.TCPConn
}

// dial connects to the proxy until the test ends.
func dial(tb testing.TB, p *proxy.Proxy) *client {
	tb.Helper()
	c, err := tryDial(tb, p)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// tryDial is dial where the connection may be reset before it is known to be there.
func tryDial(tb testing.TB, p *proxy.Proxy) (*client, error) {
	tb.Helper()
	conn, err := new(net.Dialer).DialContext(tb.Context(), "tcp", p.Addr())
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() { _ = conn.Close() })
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		tb.Fatalf("a connection of type %T", conn)
	}
	return &client{tb: tb, conn: tcp}, nil
}

// wantCutOff wants a new connection to be reset at once.
func wantCutOff(tb testing.TB, p *proxy.Proxy) {
	tb.Helper()
	c, err := tryDial(tb, p)
	switch {
	case err == nil:
		c.wantReset()
	case !errors.Is(err, syscall.ECONNRESET):
		tb.Errorf("%v, want a reset", err)
	}
}

// say sends a text as it is.
func (c *client) say(text string) {
	c.tb.Helper()
	if _, err := c.conn.Write([]byte(text)); err != nil {
		c.tb.Errorf("say %q: %v", text, err)
	}
}

// hear wants the text to come next.
func (c *client) hear(text string) {
	c.tb.Helper()
	got := make([]byte, len(text))
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c.conn, got); err != nil {
		c.tb.Errorf("hear %q: %v", text, err)
	} else if string(got) != text {
		c.tb.Errorf("heard %q, want %q", got, text)
	}
}

// ask sends a line and wants it back.
func (c *client) ask(line string) {
	c.tb.Helper()
	c.say(line + "\n")
	c.hear(line + "\n")
}

// wantReset wants the connection to be reset, and nothing to be heard before.
func (c *client) wantReset() {
	c.tb.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		c.tb.Errorf("read %d bytes and %v, want a reset", n, err)
	}
}

// wantSilence wants nothing to be heard for a while, neither a byte nor an end.
func (c *client) wantSilence() {
	c.tb.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	var timeout net.Error
	if n, err := c.conn.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		c.tb.Errorf("read %d bytes and %v, want silence", n, err)
	}
}
