package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// counted asks n times on each connection.
func counted(n int, request []byte) func(int) script {
	return func(int) script {
		left := n
		return func() []byte {
			left--
			if left < 0 {
				return nil
			}
			return request
		}
	}
}

func TestLoadAsksTheBareServer(t *testing.T) {
	order := string(appendOrder(nil, 7, "C-1", "R-1"))
	server := httptest.NewServer(bareHandler([]byte(order)))
	t.Cleanup(server.Close)
	addr := strings.TrimPrefix(server.URL, "http://")
	for name, l := range map[string]load{
		"post": {conns: 3, want: 201, script: counted(5, newRequest("POST", "/orders", order))},
		"get":  {conns: 3, want: 200, script: counted(5, newRequest("GET", "/orders/x", ""))},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := l.run(t.Context(), addr, time.Minute)
			if err != nil || found.requests != 15 || found.rate() <= 0 || found.p50 > found.p99 {
				t.Errorf("got %+v, %v; want 15 requests", found, err)
			}
		})
	}
	t.Run("echo", func(t *testing.T) {
		c, err := dial(t.Context(), addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.close)
		status, body, err := c.do(newRequest("POST", "/orders", order))
		// A float64 has no trailing zero, so that the text differs there.
		if err != nil || status != 201 || len(body) < len(order)-6 || !strings.HasPrefix(string(body), order[:60]) {
			t.Errorf("got %d %s, %v; want %s", status, body, err, order)
		}
	})
}

func TestLoadEndsAtAnUnwantedStatus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the queue is full", http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	l := load{conns: 2, want: 200, script: counted(5, newRequest("GET", "/", ""))}
	_, err := l.run(t.Context(), strings.TrimPrefix(server.URL, "http://"), time.Minute)
	if err == nil || !strings.Contains(err.Error(), "status 503 instead of 200: the queue is full") {
		t.Errorf("got %v", err)
	}
}

func TestEveryOrderIsMovedThroughEachStatusOnce(t *testing.T) {
	ids := []orderID{orderID([]byte("aaaaaaaaaaaaaaaaaaaaaaaa")), orderID([]byte("bbbbbbbbbbbbbbbbbbbbbbbb"))}
	scripts := statusScripts(ids)
	var got []string
	for next := scripts(0); ; {
		request := next()
		if request == nil {
			break
		}
		head, body, _ := strings.Cut(string(request), "\r\n\r\n")
		got = append(got, strings.Fields(head)[1][len("/orders/"):][:1]+" "+body)
	}
	want := []string{
		`a {"status":"PAID"}`, `b {"status":"PAID"}`, `a {"status":"SHIPPED"}`,
		`b {"status":"SHIPPED"}`, `a {"status":"DELIVERED"}`, `b {"status":"DELIVERED"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestIDsOfABatch(t *testing.T) {
	answer := `{"results":[{"status":201,"order":{"id":"aaaaaaaaaaaaaaaaaaaaaaaa","items":[]}},{"status":422,"problem":{}},` +
		`{"status":201,"order":{"id":"bbbbbbbbbbbbbbbbbbbbbbbb"}}]}`
	want := []orderID{orderID([]byte("aaaaaaaaaaaaaaaaaaaaaaaa")), orderID([]byte("bbbbbbbbbbbbbbbbbbbbbbbb"))}
	if diff := cmp.Diff(want, appendIDs(nil, []byte(answer))); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}
