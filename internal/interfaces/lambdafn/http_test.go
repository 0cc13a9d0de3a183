package lambdafn_test

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/interfaces/lambdafn"
)

// teller counts what it is asked.
type teller struct {
	flushes int
	left    int
	err     error
}

func (s *teller) Flush(context.Context) int { s.flushes++; return s.left }

func (s *teller) Drain(context.Context) (int, error) { return s.left, s.err }

// answer has the members of the answers to all kinds of events.
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// ask has a function with this API answer an event.
func ask(t *testing.T, api http.HandlerFunc, base, event string) answer {
	t.Helper()
	told := new(teller)
	f := lambdafn.New(lambdafn.Config{API: api, Teller: told, BasePath: base, Log: slog.New(slog.DiscardHandler)})
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	text, err := f.Invoke(ctx, []byte(event))
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	var a answer
	if err := json.Unmarshal(text, &a, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return a
}

// asNew, asREST, asBalancer and asMulti are events of one kind each, with more members.
func asNew(more string) string {
	return `{"version":"2.0","rawPath":"/p","headers":{},"requestContext":{"stage":"$default","http":{"method":"GET","sourceIp":"203.0.113.7"}}` + more + `}`
}

func asREST(more string) string {
	return `{"httpMethod":"GET","path":"/p","requestContext":{"stage":"prod","path":"/prod/p","identity":{"sourceIp":"203.0.113.7"}}` + more + `}`
}

func asBalancer(more string) string {
	return `{"httpMethod":"GET","path":"/p","requestContext":{"elb":{}}` + more + `}`
}

// TestPaths has where requests come from, what the API sees of it, and where its answer then leads.
func TestPaths(t *testing.T) {
	tests := map[string]struct{ base, event, path, location string }{
		"HTTP API":                   {"", `{"rawPath":"/orders","requestContext":{"stage":"$default","http":{"method":"GET"}}}`, "/orders", "/new"},
		"HTTP API, stage":            {"", `{"rawPath":"/prod/orders","requestContext":{"stage":"prod","http":{"method":"GET"}}}`, "/orders", "/prod/new"},
		"HTTP API, stage alone":      {"", `{"rawPath":"/prod","requestContext":{"stage":"prod","http":{"method":"GET"}}}`, "/", "/prod/new"},
		"HTTP API, stage and slash":  {"", `{"rawPath":"/prod/","requestContext":{"stage":"prod","http":{"method":"GET"}}}`, "/", "/prod/new"},
		"HTTP API, stage in a name":  {"", `{"rawPath":"/production/orders","requestContext":{"stage":"prod","http":{"method":"GET"}}}`, "/production/orders", "/new"},
		"HTTP API, base":             {"/shop/v1/", `{"rawPath":"/shop/v1/orders","requestContext":{"stage":"prod","http":{"method":"GET"}}}`, "/orders", "/shop/v1/new"},
		"HTTP API, base not there":   {"shop", `{"rawPath":"/orders","requestContext":{"stage":"$default","http":{"method":"GET"}}}`, "/orders", "/new"},
		"HTTP API, 1.0":              {"", `{"version":"1.0","httpMethod":"GET","path":"/prod/orders","requestContext":{"stage":"prod","path":"/prod/orders"}}`, "/orders", "/prod/new"},
		"function URL":               {"", `{"rawPath":"","requestContext":{"http":{"method":"GET"}}}`, "/", "/new"},
		"REST API":                   {"", `{"httpMethod":"GET","path":"/orders","requestContext":{"stage":"prod","path":"/prod/orders"}}`, "/orders", "/prod/new"},
		"REST API, slash":            {"", `{"httpMethod":"GET","path":"/orders/","requestContext":{"stage":"prod","path":"/prod/orders/"}}`, "/orders", "/prod/new"},
		"REST API, root":             {"", `{"httpMethod":"GET","path":"/","requestContext":{"stage":"prod","path":"/prod"}}`, "/", "/prod/new"},
		"REST API, named as a path":  {"", `{"httpMethod":"GET","path":"/orders/1","requestContext":{"stage":"orders","path":"/orders/orders/1"}}`, "/orders/1", "/orders/new"},
		"REST API, base":             {"shop", `{"httpMethod":"GET","path":"/shop/orders","requestContext":{"stage":"prod","path":"/shop/orders"}}`, "/orders", "/shop/new"},
		"REST API, base, all stages": {"shop", `{"httpMethod":"GET","path":"/shop/prod/orders","requestContext":{"stage":"prod","path":"/shop/prod/orders"}}`, "/orders", "/shop/prod/new"},
		"REST API, no context path":  {"", `{"httpMethod":"GET","path":"/orders","requestContext":{"stage":"prod"}}`, "/orders", "/new"},
		"load balancer":              {"", `{"httpMethod":"GET","path":"/orders","requestContext":{"elb":{}}}`, "/orders", "/new"},
		"load balancer, base":        {"shop", `{"httpMethod":"GET","path":"/shop/orders/","requestContext":{"elb":{}}}`, "/orders", "/shop/new"},
		"escaped":                    {"", `{"rawPath":"/orders/a%2Fb%20c","requestContext":{"http":{"method":"GET"}}}`, "/orders/a/b c|/orders/a%2Fb%20c", "/new"},
		"not escaped":                {"", `{"rawPath":"/orders/50% off","requestContext":{"http":{"method":"GET"}}}`, "/orders/50% off|/orders/50%25%20off", "/new"},
	}
	for name, tt := range tests {
		var path, escaped string
		a := ask(t, func(w http.ResponseWriter, r *http.Request) {
			path, escaped = r.URL.Path, r.URL.EscapedPath()
			w.Header().Set("Location", "/new")
			w.Header().Add("Link", `</new?cursor=1>; rel="next"`)
			w.WriteHeader(http.StatusCreated)
		}, tt.base, tt.event)
		want, wantEscaped, isEscaped := strings.Cut(tt.path, "|")
		if path != want || isEscaped && escaped != wantEscaped {
			t.Errorf("%s: the path is %s, escaped %s; want %s", name, path, escaped, tt.path)
		}
		if a.Headers["Location"] != tt.location || a.Headers["Link"] != "<"+tt.location+`?cursor=1>; rel="next"` {
			t.Errorf("%s: the answer leads to %s and %s, want %s", name, a.Headers["Location"], a.Headers["Link"], tt.location)
		}
	}
}

// TestQueries has queries as each kind of event has them. The API sees every value.
func TestQueries(t *testing.T) {
	for event, want := range map[string]string{
		asNew(`,"rawQueryString":"b=2&a=1&a=%2B%20x","queryStringParameters":{"a":"1,+ x","b":"2"}`):                            "b=2&a=1&a=%2B%20x",
		asREST(`,"queryStringParameters":{"a":"+ x"},"multiValueQueryStringParameters":{"a":["1","+ x"],"b":["é&="]}`):          "a=1&a=%2B+x&b=%C3%A9%26%3D",
		asREST(`,"queryStringParameters":{"a":"1 2"},"multiValueQueryStringParameters":null`):                                   "a=1+2",
		asBalancer(`,"queryStringParameters":{"b":"%2B%20x","a":"1"}`):                                                          "a=1&b=%2B%20x",
		asBalancer(`,"multiValueHeaders":{},"multiValueQueryStringParameters":{"a":["2020-01-01T00%3A00%3A00%2B01%3A00","2"]}`): "a=2020-01-01T00%3A00%3A00%2B01%3A00&a=2",
		asBalancer(`,"queryStringParameters":{"a":"x y","b":"50%"}`):                                                            "a=x+y&b=50%25",
		asBalancer(``): "",
	} {
		var got string
		ask(t, func(_ http.ResponseWriter, r *http.Request) { got = r.URL.RawQuery }, "", event)
		if got != want {
			t.Errorf("%s: the query is %s, want %s", event, got, want)
		}
	}
}

// TestRequests has what else the API sees of a request.
func TestRequests(t *testing.T) {
	const parent = "Root=1-6742f0a1-4c0ffee5ba5eba11decade00;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:2"
	see := func(event string) (seen map[string]string) {
		ask(t, func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || int64(len(body)) != r.ContentLength {
				t.Errorf("a body of %d bytes, %v, said to have %d", len(body), err, r.ContentLength)
			}
			seen = map[string]string{
				"method": r.Method, "host": r.Host, "client": r.RemoteAddr, "id": r.Header.Get("X-Request-ID"), "body": string(body),
				"uri": r.RequestURI, "x": strings.Join(r.Header["X-Mark"], "|"), "cookie": strings.Join(r.Header["Cookie"], "|"),
			}
			if trace := strings.Join(r.Header["X-Amzn-Trace-Id"], "|"); trace != "" {
				seen["trace"] = trace
			}
		}, "", event)
		return seen
	}
	tests := map[string]map[string]string{
		`{"rawPath":"/p","rawQueryString":"a=1","cookies":["a=1","b=2"],"headers":{"host":"h.example","x-mark":"1,2","x-amzn-trace-id":"` + parent + `"},
			"requestContext":{"requestId":"q-1","http":{"method":"PUT","sourceIp":"2001:db8::1"}},"body":"aGk=","isBase64Encoded":true}`: {
			"method": "PUT", "host": "h.example", "client": "[2001:db8::1]:0", "id": "q-1", "body": "hi", "uri": "/p?a=1", "x": "1,2",
			"cookie": "a=1; b=2", "trace": parent,
		},
		asREST(`,"headers":{"X-Mark":"2","X-Request-ID":"mine","Host":"h.example"},"multiValueHeaders":{"X-Mark":["1","2"],"X-Request-ID":["mine"]},"body":"hi"`): {
			"method": "GET", "host": "h.example", "client": "203.0.113.7:0", "id": "mine", "body": "hi", "uri": "/p", "x": "1|2", "cookie": "",
		},
		asBalancer(`,"headers":{"x-forwarded-for":"10.0.0.1, 203.0.113.7","cookie":"a=1"},"body":""`): {
			"method": "GET", "host": "", "client": "203.0.113.7:0", "id": "invocation-1", "body": "", "uri": "/p", "x": "", "cookie": "a=1",
		},
	}
	for event, want := range tests {
		if diff := cmp.Diff(want, see(event)); diff != "" {
			t.Errorf("%s (-want +seen):\n%s", event, diff)
		}
	}
}

// TestSchemes has what the API takes a request to have come by.
func TestSchemes(t *testing.T) {
	for event, want := range map[string]bool{
		asNew(``): true, asREST(``): true,
		asBalancer(``): false, asBalancer(`,"headers":{"x-forwarded-proto":"http"}`): false, asBalancer(`,"headers":{"x-forwarded-proto":"https"}`): true,
		asBalancer(`,"multiValueHeaders":{"X-Forwarded-Proto":["https","http"]}`): false,
	} {
		ask(t, func(_ http.ResponseWriter, r *http.Request) {
			if got := r.TLS != nil; got != want {
				t.Errorf("%s: by TLS: %t", event, got)
			}
		}, "", event)
	}
}

// TestAnswers has handlers that do what the contract of http.Handler allows, and what comes out.
func TestAnswers(t *testing.T) {
	text := func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain") }
	tests := map[string]struct {
		api  http.HandlerFunc
		want answer
	}{
		"nothing": {func(http.ResponseWriter, *http.Request) {}, answer{StatusCode: 200}},
		"a status": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			w.WriteHeader(http.StatusInternalServerError)
		}, answer{StatusCode: 204}},
		"an early one": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		}, answer{StatusCode: 202}},
		"a late header": {func(w http.ResponseWriter, _ *http.Request) {
			text(w)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			w.Header().Set("X-Late", "1")
			_, _ = io.WriteString(w, "a")
			_, _ = io.WriteString(w, "b")
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain", "Content-Length": "2"}, Body: "ab"}},
		"no type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, "<html>é")
		}, answer{
			StatusCode: 200, Headers: map[string]string{"Content-Type": "text/html; charset=utf-8", "Content-Length": "8"}, Body: "<html>é",
		}},
		"binary": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, "PNG")
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "image/png", "Content-Length": "3"}, Body: "UE5H", IsBase64Encoded: true}},
		"no text after all": {func(w http.ResponseWriter, _ *http.Request) {
			text(w)
			_, _ = w.Write([]byte{0xff})
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain", "Content-Length": "1"}, Body: "/w==", IsBase64Encoded: true}},
		"compressed": {func(w http.ResponseWriter, _ *http.Request) {
			text(w)
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "a")
		}, answer{
			StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain", "Content-Length": "1", "Content-Encoding": "gzip"},
			Body: "YQ==", IsBase64Encoded: true,
		}},
		"no body allowed": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotModified)
			if _, err := io.WriteString(w, "x"); err == nil {
				t.Error("a 304 takes a body")
			}
		}, answer{StatusCode: 304}},
		"cookies": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
			w.Header()["X-Two"] = []string{"1", "2"}
		}, answer{StatusCode: 200, Headers: map[string]string{"X-Two": "1, 2"}, Cookies: []string{"a=1", "b=2"}}},
	}
	for name, tt := range tests {
		got := ask(t, tt.api, "", asNew(""))
		if diff := cmp.Diff(tt.want, got, emptyIsNone()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	head := `{"rawPath":"/p","requestContext":{"http":{"method":"HEAD"}}}`
	got := ask(t, func(w http.ResponseWriter, _ *http.Request) {
		text(w)
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
	}, "", head)
	want := answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain", "Content-Length": "5"}}
	if diff := cmp.Diff(want, got, emptyIsNone()); diff != "" {
		t.Errorf("HEAD (-want +got):\n%s", diff)
	}
}

func emptyIsNone() cmp.Option {
	return cmp.Options{
		cmp.Transformer("map", func(m map[string]string) []string {
			var all []string
			for name, value := range m {
				all = append(all, name+": "+value)
			}
			slices.Sort(all)
			return append([]string{""}, all...)
		}),
		cmp.FilterValues(func(a, b map[string][]string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore()),
		cmp.FilterValues(func(a, b []string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore()),
	}
}

// TestCookiesOut has two cookies in an answer to each kind of event that has no list for them.
func TestCookiesOut(t *testing.T) {
	api := func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2", "c=3"}
		w.Header().Set("X-One", "1")
	}
	if a := ask(t, api, "", asREST("")); !cmp.Equal(a.MultiValueHeaders["Set-Cookie"], []string{"a=1", "b=2", "c=3"}) || a.Headers["X-One"] != "1" {
		t.Errorf("REST API: %+v", a)
	}
	a := ask(t, api, "", asBalancer(`,"multiValueHeaders":{}`))
	if !cmp.Equal(a.MultiValueHeaders["Set-Cookie"], []string{"a=1", "b=2", "c=3"}) || len(a.Headers) > 0 || a.StatusDescription != "200 OK" {
		t.Errorf("load balancer with multi-value headers: %+v", a)
	}
	a = ask(t, api, "", asBalancer(`,"headers":{}`))
	got := map[string]bool{}
	for name, value := range a.Headers {
		if strings.EqualFold(name, "Set-Cookie") {
			got[value] = true
		}
	}
	if len(got) != 3 || len(a.MultiValueHeaders) > 0 {
		t.Errorf("load balancer: %+v", a)
	}
}

// TestProblems has requests that can't be answered as they should.
func TestProblems(t *testing.T) {
	large := func(w http.ResponseWriter, r *http.Request) {
		part := strings.Repeat("x", 1<<16)
		for n := 0; n < 7<<20; n += len(part) {
			if _, err := io.WriteString(w, part); err != nil {
				if r.Context().Err() == nil {
					t.Error("the handler is not told to stop")
				}
				panic(http.ErrAbortHandler)
			}
		}
	}
	quotes := func(w http.ResponseWriter, _ *http.Request) { // fits until it is written as JSON
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.Repeat(`"`, 4<<20))
	}
	silent := func(http.ResponseWriter, *http.Request) {}
	tests := map[string]struct {
		api    http.HandlerFunc
		event  string
		status int
		code   string
	}{
		"panic": {func(http.ResponseWriter, *http.Request) { panic("x") }, asNew(""), 500, "internal"},
		"aborted": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		}, asREST(""), 500, "internal"},
		"no Base64":                  {silent, asNew(`,"body":"!","isBase64Encoded":true`), 400, "event_malformed"},
		"too large":                  {large, asNew(""), 422, "answer_too_large"},
		"too large for a balancer":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 900<<10)) }, asBalancer(""), 422, "answer_too_large"},
		"too large as JSON":          {quotes, asREST(""), 422, "answer_too_large"},
		"too large, but carried out": {large, `{"httpMethod":"POST","path":"/p","requestContext":{}}`, 500, "answer_too_large"},
	}
	for name, tt := range tests {
		a := ask(t, tt.api, "", tt.event)
		var p struct {
			Status    int    `json:"status"`
			Code      string `json:"code"`
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(a.Body), &p); err != nil {
			t.Errorf("%s: %v: %.200s", name, err, a.Body)
		}
		if a.StatusCode != tt.status || p.Status != tt.status || p.Code != tt.code || p.RequestID != "invocation-1" ||
			a.Headers["Content-Type"] != "application/problem+json" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestBrowserWithSlash has a browser ask for a page with a slash behind it, from which the page's links would lead astray.
func TestBrowserWithSlash(t *testing.T) {
	silent := func(http.ResponseWriter, *http.Request) {}
	event := `{"rawPath":"/prod/docs/","headers":{"accept":"text/html,*/*"},"requestContext":{"stage":"prod","http":{"method":"GET"}}}`
	if a := ask(t, silent, "", event); a.StatusCode != http.StatusPermanentRedirect || a.Headers["Location"] != "/prod/docs" {
		t.Errorf("%+v", a)
	}
	if a := ask(t, silent, "", strings.Replace(event, "text/html,", "", 1)); a.StatusCode != http.StatusOK {
		t.Errorf("%+v", a)
	}
}

// TestNobodyIsSentElsewhere has paths that a browser would take for another host's, and ones with a query.
func TestNobodyIsSentElsewhere(t *testing.T) {
	silent := func(http.ResponseWriter, *http.Request) {}
	for _, path := range []string{"//evil.example/", `/\\evil.example/`, "/%2f/evil.example/", "/orders/"} {
		event := `{"rawPath":"` + path + `","rawQueryString":"status=PAID","headers":{"accept":"text/html"},` +
			`"requestContext":{"stage":"$default","http":{"method":"GET"}}}`
		if a := ask(t, silent, "", event); a.StatusCode != http.StatusOK || a.Headers["Location"] != "" {
			t.Errorf("%s: %+v", path, a)
		}
	}
}

// TestDuplicateNames has a client send what a gateway passes on as it came: the API answers it.
func TestDuplicateNames(t *testing.T) {
	var got string
	api := func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Header.Get("A") + " " + string(body)
	}
	event := `{"rawPath":"/orders","headers":{"a":"1","a":"2"},"body":"\ud800","requestContext":{"http":{"method":"POST"}}}`
	if a := ask(t, api, "", event); a.StatusCode != http.StatusOK || got != "2 \uFFFD" {
		t.Errorf("%+v, %q", a, got)
	}
}

// TestTime has an invocation whose time is shared out: the API's ends first, then that of telling, then its own.
func TestTime(t *testing.T) {
	told := new(timed)
	var working time.Time
	f := lambdafn.New(lambdafn.Config{Teller: told, API: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		working, _ = r.Context().Deadline()
	})})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	deadline, _ := ctx.Deadline()
	if _, err := f.Invoke(ctx, []byte(asNew(""))); err != nil {
		t.Fatal(err)
	}
	if first, second := told.until.Sub(working), deadline.Sub(told.until); first < 200*time.Millisecond || second < 200*time.Millisecond || second > time.Second {
		t.Errorf("telling ends %v after the work and %v before the deadline", first, second)
	}
}

type timed struct{ until time.Time }

func (s *timed) Flush(ctx context.Context) int {
	s.until, _ = ctx.Deadline()
	return 0
}

func (*timed) Drain(context.Context) (int, error) { return 0, nil }

// TestBase64IsWhatItWas has every byte there and back.
func TestBase64IsWhatItWas(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	a := ask(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}, "", asNew(`,"isBase64Encoded":true,"body":"`+base64.StdEncoding.EncodeToString(every)+`"`))
	if a.Body != base64.StdEncoding.EncodeToString(every) || !a.IsBase64Encoded {
		t.Errorf("%+v", a)
	}
}
