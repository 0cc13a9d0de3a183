package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestOpenLoad offers more than two connections can carry, to a server that answers a third of it with success.
func TestOpenLoad(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/gone":
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	paths := []string{"/good", "/busy", "/gone"}
	l := openLoad{conns: 2, stages: []stage{{1_000_000, time.Second}, {1, 4 * time.Second}}, good: patience, script: func(conn int) script {
		n := conn
		return func() []byte {
			n++
			return newRequest("GET", paths[n%3], "")
		}
	}}
	address := strings.TrimPrefix(server.URL, "http://")
	outcomes, err := l.run(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outcomes {
		if o.answered[200] != len(o.latencies) || len(o.refusals) != o.answered[503] || o.answered[200]+o.answered[503]+o.broken+o.lost != o.offered {
			t.Errorf("requests of stage %d are missing: %v", i, o)
		}
	}
	if o := outcomes[0]; o.offered < 100_000 || o.lost == 0 || o.broken == 0 || len(o.latencies) == 0 || o.answered[503] == 0 {
		t.Errorf("at first: %v", o)
	}
	if o := outcomes[1]; o.offered == 0 || o.offered > 4 || o.lost > 0 {
		t.Errorf("then: %v", o)
	}

	l.good, l.stages = 0, []stage{{1000, 100 * time.Millisecond}}
	if outcomes, err = l.run(t.Context(), address); err != nil || len(outcomes[0].latencies) > 0 {
		t.Errorf("answers are good though they are late: %v, %v", outcomes[0], err)
	}
}

// TestOpenLoadOpensConnections when there is none that is free, and no more than it may.
func TestOpenLoadOpensConnections(t *testing.T) {
	const most = 20
	var came, opened atomic.Int64
	all := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if came.Add(1) == most {
			close(all)
		}
		<-all
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	l := openLoad{conns: most, stages: []stage{{1000, 2 * time.Second}}, good: patience, script: func(int) script {
		return func() []byte { return newRequest("GET", "/", "") }
	}}
	outcomes, err := l.run(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	if o := outcomes[0]; err != nil || o.answered[200] < most || o.answered[200]+o.lost != o.offered || opened.Load() != most {
		t.Errorf("%d connections, %v, %v", opened.Load(), o, err)
	}
}

// TestOverHTTP2 shares connections.
func TestOverHTTP2(t *testing.T) {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Proto == "HTTP/2.0" && r.Method == http.MethodPost && r.URL.Path == "/orders" {
			_, _ = w.Write(body)
		}
	}))
	server.EnableHTTP2 = true
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	var connections overHTTP2
	var last asker
	for range streamsPerConnection + 1 {
		s, err := connections.dial(t.Context(), server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.giveUpAt(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		status, body, err := s.do(newRequest("POST", "/orders", "{}"))
		if err != nil || status != 200 || string(body) != "{}" {
			t.Fatalf("%d %s, %v", status, body, err)
		}
		last = s
	}
	defer last.close()
	if opened.Load() != 2 {
		t.Errorf("%d connections, want 2", opened.Load())
	}
}

func TestCalm(t *testing.T) {
	// steady has answers of a second each take so many milliseconds.
	steady := func(perSecond int, millis ...int) *outcome {
		o := &outcome{took: time.Duration(len(millis)) * time.Second}
		for i, ms := range millis {
			for n := range perSecond {
				at := time.Duration(i)*time.Second + time.Duration(n)*time.Second/time.Duration(perSecond)
				o.latencies = append(o.latencies, arrivalTime{at, time.Duration(ms) * time.Millisecond})
			}
		}
		return o
	}
	normal := steady(100, 5, 10, 5)
	for name, c := range map[string]struct {
		load *outcome
		want time.Duration
	}{
		"at once":     {steady(100, 20, 5), time.Second},
		"not to stay": {steady(100, 20, 900, 5), 3 * time.Second},
		"later":       {steady(100, 900, 21, 20), 3 * time.Second},
		"never":       {steady(100, 900, 900), 3 * time.Second},
		"mostly lost": {steady(50, 5, 5), 3 * time.Second},
	} {
		if got := c.load.calmAfter(normal); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
