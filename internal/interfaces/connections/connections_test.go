package connections_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"order-processing-service/internal/interfaces/connections"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// limited is a listener with limits, and what accepts there.
type limited struct {
	*connections.Listener
	t testing.TB
}

func limit(t *testing.T, limits connections.Limits) limited {
	t.Helper()
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inner.Close() })
	return limited{connections.Limit(inner, limits), t}
}

// dial opens a connection.
func dial(t testing.TB, to net.Addr) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// pair opens a connection and accepts it.
func (l limited) pair() (client, server net.Conn) {
	l.t.Helper()
	client = dial(l.t, l.Addr())
	server, err := l.Accept()
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { server.Close() })
	return client, server
}

// closed tells whether the other end has closed; it must not send anything.
func closed(t testing.TB, conn net.Conn, within time.Duration) bool {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	nerr, ok := errors.AsType[net.Error](err)
	return !ok || !nerr.Timeout()
}

func TestTheLongestIdleGoes(t *testing.T) {
	var log bytes.Buffer
	l := limit(t, connections.Limits{Max: 3, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	first, firstServer := l.pair()
	second, _ := l.pair()
	third, _ := l.pair()
	l.State(firstServer, http.StateActive)
	l.State(firstServer, http.StateIdle) // the second is idle for longer now
	l.pair()
	if !closed(t, second, patience) || closed(t, first, time.Millisecond) || closed(t, third, time.Millisecond) || l.Len() != 3 {
		t.Errorf("the wrong one had to go; there are %d", l.Len())
	}
	l.pair()
	if !closed(t, third, patience) || l.Len() != 3 {
		t.Errorf("the third is still there; there are %d", l.Len())
	}
	if lines := log.String(); strings.Count(lines, "\n") != 1 || !strings.Contains(lines, `"closed_idle":1`) || strings.Contains(lines, "127.0.0.1") {
		t.Errorf("the log says %s", lines)
	}
}

func TestConnectionsInUseStay(t *testing.T) {
	l := limit(t, connections.Limits{Max: 2})
	var used, servers []net.Conn
	for range 2 {
		client, server := l.pair()
		l.State(server, http.StateActive)
		used, servers = append(used, client), append(servers, server)
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- conn
	}()
	if !closed(t, dial(t, l.Addr()), patience) {
		t.Error("one too many was not refused")
	}
	if closed(t, used[0], time.Millisecond) || closed(t, used[1], time.Millisecond) || l.Len() != 2 {
		t.Error("one in use had to go")
	}
	servers[0].Close()
	servers[0].Close() // twice is once
	dial(t, l.Addr())
	if conn := <-accepted; conn != nil {
		defer conn.Close()
	}
	if l.Len() != 2 {
		t.Errorf("%d connections after one was closed and one came", l.Len())
	}
}

func TestNetworks(t *testing.T) {
	counted := true
	l := limit(t, connections.Limits{PerNetwork: 1, Network: func(address netip.Addr) (netip.Prefix, bool) {
		return netip.PrefixFrom(address, 8).Masked(), counted
	}})
	first, _ := l.pair()
	l.pair()
	if !closed(t, first, patience) || l.Len() != 1 {
		t.Errorf("%d connections of one network", l.Len())
	}
	counted = false
	l.pair()
	l.pair()
	if l.Len() != 3 {
		t.Errorf("%d connections, of which two are not counted", l.Len())
	}
}

// TestHandshakes has clients that never finish theirs: each is cut off when its time is up, and all when the listener is closed.
func TestHandshakes(t *testing.T) {
	discard := slog.New(slog.DiscardHandler)
	short := connections.Secure(limit(t, connections.Limits{}), &tls.Config{MinVersion: tls.VersionTLS12}, 50*time.Millisecond, discard)
	defer short.Close()
	if n, err := io.Copy(io.Discard, dial(t, short.Addr())); err != nil || n != 0 {
		t.Errorf("a silent client got %d bytes, %v", n, err)
	}

	long := connections.Secure(limit(t, connections.Limits{}), &tls.Config{MinVersion: tls.VersionTLS12}, time.Hour, discard)
	silent := dial(t, long.Addr())
	waiting := make(chan error, 1)
	go func() {
		_, err := long.Accept()
		waiting <- err
	}()
	long.Close()
	if err := <-waiting; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept ended with %v", err)
	}
	if !closed(t, silent, patience) {
		t.Error("a client in the middle of its handshake is left alone")
	}
}
