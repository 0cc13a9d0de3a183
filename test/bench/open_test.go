package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
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
	l := openLoad{conns: 2, rate: 1_000_000, good: patience, script: func(conn int) script {
		n := conn
		return func() []byte {
			n++
			return newRequest("GET", paths[n%3], "")
		}
	}}
	o, err := l.run(t.Context(), strings.TrimPrefix(server.URL, "http://"), 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if o.offered < 100_000 || o.lost == 0 || o.broken == 0 || len(o.latencies) == 0 || o.answered[503] == 0 || len(o.refusals) != o.answered[503] {
		t.Errorf("got %v", o)
	}
	if o.answered[200] != len(o.latencies) || o.answered[200]+o.answered[503]+o.broken+o.lost != o.offered {
		t.Errorf("requests are missing: %v", o)
	}

	l.good = 0
	if o, err = l.run(t.Context(), strings.TrimPrefix(server.URL, "http://"), 50*time.Millisecond); err != nil || len(o.latencies) > 0 {
		t.Errorf("answers are good though they are late: %v, %v", o, err)
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
		"later":       {steady(100, 900, 21, 20), 3 * time.Second},
		"never":       {steady(100, 900, 900), 3 * time.Second},
		"mostly lost": {steady(50, 5, 5), 3 * time.Second},
	} {
		if got := c.load.calmAfter(normal); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
