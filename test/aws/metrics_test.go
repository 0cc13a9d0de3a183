package aws_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestWorkerIsMeasured has a worker apply one command and set one aside, and reads what it says of them.
func TestWorkerIsMeasured(t *testing.T) {
	var id string
	s := newShop(t, "", &id)
	w := s.work(t)
	const paid = `{"type":"PaymentSucceeded","orderId":"`
	s.send(t, "", paid+id+`","amount":25.00,"currency":"EUR"}`)
	w.await(t, `"outcome":"applied"`, 1)
	s.send(t, "", `{"type":"Nonsense","orderId":"`+id+`"}`)
	w.await(t, `"outcome":"dead-lettered"`, 1)

	found := regexp.MustCompile(`"message":"admin endpoints".*"url":"([^"]*)"`).FindStringSubmatch(w.log.String())
	if found == nil {
		t.Fatal("the worker has no admin address")
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, found[1]+"/metrics", http.NoBody)
	must(t, err)
	response, err := w.client.Do(r)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	for _, want := range []string{
		`orders_commands_total{orders_outcome="applied"} 1`, `orders_commands_total{orders_outcome="failed"} 0`,
		`orders_commands_total{error_type="command_type_unknown",orders_outcome="dead_lettered"} 1`, `orders_moved_total{orders_status="paid"} 1`,
	} {
		if !strings.Contains(string(text), "\n"+want+"\n") {
			t.Errorf("%q is missing in\n%s", want, regexp.MustCompile(`(?m)^orders_(commands|moved).*$`).FindAllString(string(text), -1))
		}
	}
}
