package connections_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"order-processing-service/internal/interfaces/connections"
)

// resting serves /rest, after which a connection rests for so long, and everything else, after which it does not.
func resting(t *testing.T, limits connections.Limits, rest time.Duration) (limited, *http.Server) {
	t.Helper()
	l := limit(t, limits)
	server := &http.Server{
		ReadHeaderTimeout: patience, ConnState: l.State, ConnContext: connections.Context,
		Handler: connections.Wake(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/rest":
				connections.Rest(r.Context(), rest)
			case "/stay":
				w.WriteHeader(http.StatusAccepted)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
			w.Header().Set("Rested", connections.Rested(r.Context()).String())
			_, _ = io.WriteString(w, "ok")
		})),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return l, server
}

// ask sends a request with a body, and reads the answer: how long it may have waited.
func ask(t *testing.T, conn net.Conn, from *bufio.Reader, path string) time.Duration {
	t.Helper()
	rested, err := try(conn, from, path)
	if err != nil {
		t.Fatal(err)
	}
	return rested
}

func try(conn net.Conn, from *bufio.Reader, path string) (time.Duration, error) {
	if _, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != "ok" {
		return 0, fmt.Errorf("%s: %w", text, err)
	}
	return time.ParseDuration(response.Header.Get("Rested"))
}

// TestRest has a connection be answered at once, and its next request only after the rest; others do not rest.
func TestRest(t *testing.T) {
	const rest = 300 * time.Millisecond
	l, _ := resting(t, connections.Limits{}, rest)
	conn, other := dial(t, l.Addr()), dial(t, l.Addr())
	from := bufio.NewReader(conn)
	began := time.Now()
	ask(t, conn, from, "/rest")
	answered := time.Since(began)
	ask(t, other, bufio.NewReader(other), "/")
	if took := time.Since(began); answered > rest || took > rest {
		t.Skipf("this machine is too slow to tell: %v, %v", answered, took)
	}
	rested := ask(t, conn, from, "/")
	if took := time.Since(began); took < rest {
		t.Errorf("read again after %v", took)
	}
	if rested > time.Since(began) { // or 0, on a slow machine
		t.Errorf("the request has waited for %v", rested)
	}
	if rested = ask(t, conn, from, "/"); rested != 0 {
		t.Errorf("the one after it has waited for %v", rested)
	}
	quickest := patience
	for range 10 {
		began = time.Now()
		ask(t, conn, from, "/")
		quickest = min(quickest, time.Since(began))
	}
	if quickest >= rest {
		t.Errorf("it rests for ever: of 10 requests each took %v", quickest)
	}
}

// TestTheEndEndsRests has a server stop though connections rest, and newcomers take their places.
func TestTheEndEndsRests(t *testing.T) {
	l, server := resting(t, connections.Limits{Max: 1}, time.Hour)
	conn := dial(t, l.Addr())
	ask(t, conn, bufio.NewReader(conn), "/rest")
	newcomer := dial(t, l.Addr())
	from := bufio.NewReader(newcomer)
	for limit := time.Now().Add(patience); ; { // the server may not be done with the first
		if _, err := try(newcomer, from, "/"); err == nil {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("a connection that rests keeps others out")
		}
		newcomer = dial(t, l.Addr())
		from.Reset(newcomer)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection that rested is still there")
	}
	ask(t, newcomer, from, "/rest")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil { // TestMain looks for what is left
		t.Error(err)
	}
}

// TestNoRestInUse has a request come together with the one after which its connection is to rest. It is worked on at once, and it is
// noticed at once that its client leaves: else the service would not stop, with a rest of an hour.
func TestNoRestInUse(t *testing.T) {
	l, server := resting(t, connections.Limits{}, time.Hour)
	conn := dial(t, l.Addr())
	if _, err := io.WriteString(conn, "GET /rest HTTP/1.1\r\nHost: a\r\n\r\nGET /stay HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(conn)
	for _, want := range []int{http.StatusOK, http.StatusAccepted} {
		response, err := http.ReadResponse(from, nil)
		if err != nil || response.StatusCode != want {
			t.Fatalf("%v, %v; want %d", response, err, want)
		}
		if last := want == http.StatusAccepted; response.Close != last { // or a client that sends many together would never rest
			t.Errorf("%d: close is %v", want, response.Close)
		}
		if want == http.StatusOK {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience/2)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("the connection rests though it is in use: %v", err)
	}
}

func TestRestOfOtherConnections(t *testing.T) {
	connections.Rest(t.Context(), time.Hour)
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if ctx := t.Context(); connections.Context(ctx, a) != ctx {
		t.Error("it is no connection of a listener")
	}
}
