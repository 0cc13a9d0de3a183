package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswersNeedAnID(t *testing.T) {
	for name, c := range map[string]struct {
		check func([]byte) error
		body  string
		good  bool
	}{
		"order":          {checkOrder, `{"id":"6743aaaaaaaaaaaaaaaaaaaa","customer_id":"c"}`, true},
		"empty id":       {checkOrder, `{"id":"","customer_id":"cccccccccccccccccc"}`, false},
		"no id":          {checkOrder, `{"customer_id":"c"}`, false},
		"cut short":      {checkOrder, `{"id":"6743aaaa`, false},
		"nothing":        {checkOrder, ``, false},
		"page":           {checkPage, `{"orders":[{"id":"6743aaaaaaaaaaaaaaaaaaaa"}]}`, true},
		"empty page":     {checkPage, `{"orders":[],"next_cursor":null}`, false},
		"page of what":   {checkPage, `{"problems":[]}`, false},
		"page of nobody": {checkPage, ``, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.check([]byte(c.body)); (err == nil) != c.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

// shop answers GET with what it has: the order asked for, as another one, or not at all.
func shop(t *testing.T, orders map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, ok := orders[strings.TrimPrefix(r.URL.Path, "/orders/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]string{"id": id}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestAcknowledgedOrdersAreLookedFor(t *testing.T) {
	const first, second = "6743aaaaaaaaaaaaaaaaaaaa", "6743bbbbbbbbbbbbbbbbbbbb"
	for name, c := range map[string]struct {
		orders map[string]string
		placed []string
		want   string // in the error; empty for none
	}{
		"all there":  {map[string]string{first: first, second: second}, []string{first, second}, ""},
		"one lost":   {map[string]string{first: first}, []string{first, second}, "404 instead of 200"},
		"another":    {map[string]string{first: first, second: first}, []string{first, second}, "acknowledged order " + second},
		"same twice": {map[string]string{first: first}, []string{first, first}, "two orders have the id " + first},
	} {
		t.Run(name, func(t *testing.T) {
			var l ledger
			for _, id := range c.placed {
				if err := l.enter([]byte(`{"id":"` + id + `"}`)); err != nil {
					t.Fatal(err)
				}
			}
			switch err := l.lookFor(t.Context(), shop(t, c.orders)); {
			case c.want == "" && err != nil:
				t.Errorf("got %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v; want %s", err, c.want)
			}
		})
	}
}

func TestLoadEndsAtAWrongAnswer(t *testing.T) {
	addr := shop(t, map[string]string{"1": "6743aaaaaaaaaaaaaaaaaaaa", "2": "not an id"})
	for path, good := range map[string]bool{"/orders/1": true, "/orders/2": false} {
		l := load{conns: 2, want: 200, script: counted(3, newRequest("GET", path, "")), check: checkOrder}
		if _, err := l.run(t.Context(), addr, patience); (err == nil) != good {
			t.Errorf("%s: got %v", path, err)
		}
	}
}
