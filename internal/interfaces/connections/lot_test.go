package connections_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/internal/interfaces/connections"
)

// TestReleaseInTurn has connections that rest for an hour read again as they are released, the first that rested first.
func TestReleaseInTurn(t *testing.T) {
	var released atomic.Int64
	release := func() int { return int(released.Swap(0)) }
	l, _ := resting(t, connections.Limits{Release: release}, time.Hour)
	var conns []net.Conn
	var readers []*bufio.Reader
	for i := range 4 {
		conn := dial(t, l.Addr())
		from := bufio.NewReader(conn)
		ask(t, conn, from, "/rest")
		awaitResting(t, l, len(conns)+1)
		if i == 1 { // its client leaves, which comes to light when it is read: its turn is then the next one's
			conn.Close()
		} else if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		conns, readers = append(conns, conn), append(readers, from)
	}
	rested := 0
	for _, turn := range []struct {
		release int
		come    []int
		stay    []int
	}{{1, []int{0}, []int{2, 3}}, {1, []int{2}, []int{3}}, {1, []int{3}, nil}} {
		released.Store(int64(turn.release))
		for _, i := range turn.come {
			response, err := http.ReadResponse(readers[i], nil)
			if err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			response.Body.Close()
			if response.Header.Get("Rested") != "0s" { // a slow machine can't tell of each
				rested++
			}
		}
		for _, i := range turn.stay {
			if closed(t, conns[i], time.Millisecond) {
				t.Errorf("connection %d has come before its turn", i)
			}
			if err := conns[i].SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := l.Resting(); n != 0 || rested == 0 {
		t.Errorf("%d still rest, %d have rested", n, rested)
	}
}

// TestRestingConnectionsGiveWayFirst, before one that has been idle for longer by itself.
func TestRestingConnectionsGiveWayFirst(t *testing.T) {
	l, _ := resting(t, connections.Limits{Max: 2}, time.Hour)
	quiet := dial(t, l.Addr())
	fromQuiet := bufio.NewReader(quiet)
	ask(t, quiet, fromQuiet, "/")
	refused := dial(t, l.Addr())
	ask(t, refused, bufio.NewReader(refused), "/rest")
	awaitResting(t, l, 1)
	newcomer := dial(t, l.Addr())
	ask(t, newcomer, bufio.NewReader(newcomer), "/")
	if !closed(t, refused, patience) {
		t.Error("the connection that rests is still there")
	}
	ask(t, quiet, fromQuiet, "/")
}

func awaitResting(t *testing.T, l limited, n int) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for limit := time.After(patience); l.Resting() != n; {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("%d connections rest, want %d", l.Resting(), n)
		}
	}
}
