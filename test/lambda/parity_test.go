package lambda_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/lambda"
	"order-processing-service/test/process"
	"order-processing-service/test/program"
)

// gateways are all ways in which HTTP requests come to a function.
func gateways() map[string]*lambda.Gateway {
	return map[string]*lambda.Gateway{
		"REST API":                      {Kind: lambda.RESTAPI, Stage: "prod"},
		"REST API, Base64":              {Kind: lambda.RESTAPI, Stage: "prod", Base64: true},
		"HTTP API":                      {Kind: lambda.HTTPAPI},
		"HTTP API with a stage, Base64": {Kind: lambda.HTTPAPI, Stage: "prod", Base64: true},
		"function URL":                  {Kind: lambda.FunctionURL},
		"load balancer":                 {Kind: lambda.LoadBalancer},
		"load balancer, multi-value":    {Kind: lambda.LoadBalancerMulti, Base64: true},
	}
}

// The idempotency keys of the requests, which decide the order's id, are the same everywhere; the ids are in the keys' sequence, as
// orders of one millisecond are listed by id.
const newOrder = `{"customer_id":"c-1","currency":"EUR","items":[{"sku":"TEA","name":"Grüner Tee 緑茶","quantity":2,"unit_price":12.50}]}`

// requests are sent one after the other; {id} stands for the first order's id.
func requests() []request {
	return []request{
		{"POST", "/orders", "Idempotency-Key: k-1", newOrder},
		{"POST", "/orders", "Idempotency-Key: k-1", newOrder},
		{"POST", "/orders", "Idempotency-Key: k-1", strings.Replace(newOrder, "TEA", "SALT", 1)},
		{"POST", "/orders/", "Idempotency-Key: k-3", newOrder},
		{"GET", "/orders/{id}", "", ""},
		{"HEAD", "/orders/{id}", "", ""},
		{"GET", "/orders/{id}/", "", ""},
		{"GET", "/%6frders/{id}", "", ""},
		{"PATCH", "/orders/{id}", "If-Match: \"1\"", `{"status":"PAID"}`},
		{"PATCH", "/orders/{id}", "If-Match: \"1\"", `{"status":"SHIPPED"}`},
		{"GET", "/orders/{id}", "If-None-Match: \"2\"", ""},
		{"GET", "/orders/{id}/timeline", "", ""},
		{"GET", "/orders?limit=1", "", ""},
		{"GET", "/orders?customer_id=c-1&status=PAID", "", ""},
		{"GET", "/orders?created_from=2020-01-01T00%3A00%3A00%2B01%3A00&customer_id=a%26b%20c", "", ""},
		{"GET", "/orders?nonsense=%C3%A9%26", "", ""},
		{"GET", "/orders/export?format=csv", "", ""},
		{"GET", "/orders/ffffffffffffffffffffffff", "", ""},
		{"GET", "/nothing", "", ""},
		{"DELETE", "/orders/{id}", "", ""},
		{"POST", "/orders", "", `{"customer_id":`},
		{"POST", "/orders", "", `{"customer_id":"` + strings.Repeat("x", 1<<20) + `"}`},
		{"POST", "/orders", "Content-Type: text/plain", newOrder},
		{"POST", "/orders/batch", "", `{"orders":[{"idempotency_key":"b-1","order":` + newOrder + `}]}`},
		{"GET", "/", "", ""},
		{"GET", "/openapi.json", "", ""},
		{"GET", "/asyncapi.json", "", ""},
		{"GET", "/docs", "", ""},
		{"GET", "/docs/swagger-ui.css", "", ""},
		{"GET", "/docs/favicon-16x16.png", "", ""},
		{"GET", "/health/ready", "", ""},
		{"GET", "/deliveries?state=waiting", "", ""},
	}
}

type request struct{ method, path, header, body string }

type reply struct {
	Status int
	Header map[string]string
	Body   string
}

// TestAnswersAreThoseOfAServer sends the same requests to a server and through each gateway to a function.
func TestAnswersAreThoseOfAServer(t *testing.T) {
	server := program.Start(t, t.TempDir(), nil)
	want := converse(t, server.URL, server)
	for name, g := range gateways() {
		t.Run(name, func(t *testing.T) {
			g.Runtime = lambda.NewRuntime(t)
			lambda.Start(t, lambda.Config{Runtime: g.Runtime, Dir: t.TempDir()})
			got := converse(t, g.Listen(t), nil)
			for i, q := range requests() {
				// These load balancers took plain HTTP, as the server did; the others take none.
				const secured = "Strict-Transport-Security"
				if _, is := got[i].Header[secured]; is == strings.HasPrefix(name, "load balancer") {
					t.Errorf("%s %s: the answer has %s: %t", q.method, q.path, secured, is)
				}
				delete(got[i].Header, secured)
				if diff := cmp.Diff(want[i], got[i]); diff != "" {
					t.Errorf("%s %s: a server (-), the function (+):\n%.3000s", q.method, q.path, diff)
				}
			}
		})
	}
}

// converse sends all requests to the server, or to a function if that is nil, and returns what came back, without what differs from
// one time to the next.
func converse(t *testing.T, url string, server *program.Program) []reply {
	t.Helper()
	client := &http.Client{Timeout: process.Patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	defer client.CloseIdleConnections()
	id := ""
	var all []reply
	for _, q := range requests() {
		path := strings.ReplaceAll(q.path, "{id}", id)
		if server != nil && len(path) > 1 {
			path = strings.TrimSuffix(path, "/") // a server has no such paths
		}
		q.path = path
		if server != nil && strings.HasPrefix(path, "/deliveries") {
			server.AwaitTold(t) // a function has told all before each answer
		}
		a := send(t, client, url, q)
		if id == "" {
			id = regexp.MustCompile(`"id":"([0-9a-f]{24})"`).FindStringSubmatch(a.Body)[1]
		}
		all = append(all, a)
	}
	return all
}

// What differs each time: times, ids that nothing decides, and what has them.
var changing = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[0-9:.]+Z"|\d{4}-\d\d-\d\dT[0-9:.]+Z|"request_id":"[^"]+"|"next_cursor":"[^"]+"|cursor=[^&>]+|"payments":\[{"id":"[0-9a-f]+"|"paymentId":"[0-9a-f]+"`)

func send(t *testing.T, client *http.Client, url string, q request) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), q.method, url+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if name, value, ok := strings.Cut(q.header, ": "); ok {
		r.Header.Set(name, value)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", q.method, q.path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := reply{Status: response.StatusCode, Header: map[string]string{}, Body: changing.ReplaceAllString(string(body), "…")}
	for name := range response.Header {
		switch name {
		case "Date", "Connection", "Content-Encoding", "Accept-Ranges", "Vary":
		case "Etag": // that of an asset says whether it is compressed
			a.Header[name] = strings.TrimSuffix(response.Header.Get(name), "U")
		case "X-Request-Id":
			a.Header[name] = "…"
		case "Content-Length":
			if q.method == http.MethodHead {
				a.Header[name] = response.Header.Get(name)
			}
		case "Location", "Link":
			given := changing.ReplaceAllString(response.Header.Get(name), "…")
			a.Header[name] = strings.Replace(given, "/prod", "", 1)
			if prefixed := strings.HasSuffix(url, "/prod"); prefixed == (a.Header[name] == given) {
				t.Errorf("%s %s%s: the header %s is %s", q.method, url, q.path, name, given)
			}
		default:
			a.Header[name] = strings.Join(response.Header[name], ", ")
		}
	}
	return a
}
