package lambda

import (
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/test/process"
)

// Recorded has an event of each kind, in the form that AWS sends it.
//
//go:embed testdata/*.json
var Recorded embed.FS

// The kinds of gateways, each of which has its recorded event.
const (
	RESTAPI           = "rest-api"
	HTTPAPI           = "http-api"
	FunctionURL       = "function-url"
	LoadBalancer      = "load-balancer"
	LoadBalancerMulti = "load-balancer-multi" // with multi-value headers
)

// Gateway turns HTTP requests into events, and the function's answers into those of HTTP, as AWS does.
type Gateway struct {
	Runtime *Runtime
	Kind    string
	// Stage is the first segment of the client's paths; "" for none.
	Stage string
	// Base64 sends bodies in Base64.
	Base64 bool
	// Text is a REST API that knows no binary media types: it passes answers in Base64 on as they are.
	Text bool
	// Timeout is that of the function; 0 means one that is never reached.
	Timeout time.Duration
}

// Listen serves the gateway on a port of its own until the test ends, and returns its URL with the stage.
func (g *Gateway) Listen(tb testing.TB) string {
	tb.Helper()
	server := httptest.NewServer(g)
	tb.Cleanup(server.Close)
	if g.Stage != "" {
		return server.URL + "/" + g.Stage
	}
	return server.URL
}

// answer is what a function answers an HTTP request with; all kinds have their members from among these.
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// ServeHTTP answers 502 where AWS does: when the function fails, and when its answer has not the right form.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	event, err := g.event(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	timeout := g.Timeout
	if timeout == 0 {
		timeout = process.Patience
	}
	got, err := g.Runtime.Begin(event, timeout).AwaitAnswer(q.Context())
	if err != nil || got.Failed {
		http.Error(w, string(got.Payload), http.StatusBadGateway)
		return
	}
	var a answer
	if err := json.Unmarshal(got.Payload, &a, json.RejectUnknownMembers(true)); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	body := []byte(a.Body)
	if a.IsBase64Encoded && !g.Text {
		if body, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	h := w.Header()
	if g.Kind != LoadBalancerMulti {
		for name, value := range a.Headers {
			h.Add(name, value)
		}
	}
	if g.Kind == LoadBalancerMulti || g.Kind == RESTAPI {
		for name, values := range a.MultiValueHeaders {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	for _, cookie := range a.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	if q.Method != http.MethodHead {
		h.Del("Content-Length")
	}
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(body)
}

// event is the recorded event with what the request has instead.
func (g *Gateway) event(q *http.Request) ([]byte, error) {
	text, err := Recorded.ReadFile("testdata/" + g.Kind + ".json")
	if err != nil {
		return nil, fmt.Errorf("the recorded event: %w", err)
	}
	var e map[string]any
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("the recorded event: %w", err)
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, fmt.Errorf("the request: %w", err)
	}
	e["body"] = string(body)
	if len(body) == 0 {
		e["body"] = nil
	} else if g.Base64 {
		e["body"], e["isBase64Encoded"] = base64.StdEncoding.EncodeToString(body), true
	}
	header := q.Header.Clone()
	header.Set("X-Forwarded-For", "203.0.113.7")
	header["Host"] = []string{q.Host}
	client := q.URL.EscapedPath()
	path := client
	if g.Stage != "" {
		path = strings.TrimPrefix(client, "/"+g.Stage)
		if path == "" {
			path = "/"
		}
	}
	switch g.Kind {
	case RESTAPI:
		restEvent(e, q, header, path, client, g.Stage)
	case HTTPAPI, FunctionURL:
		newEvent(e, q, header, client, g.Stage)
	default:
		balancerEvent(e, q, header, path, g.Kind == LoadBalancerMulti)
	}
	event, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("the event: %w", err)
	}
	return event, nil
}

func restEvent(e map[string]any, q *http.Request, header http.Header, path, client, stage string) {
	e["httpMethod"], e["path"] = q.Method, path
	e["headers"], e["multiValueHeaders"] = last(header), header
	e["queryStringParameters"], e["multiValueQueryStringParameters"] = nil, nil
	if query := q.URL.Query(); len(query) > 0 {
		e["queryStringParameters"], e["multiValueQueryStringParameters"] = last(query), query
	}
	context := within(e, "requestContext")
	context["httpMethod"], context["path"], context["stage"] = q.Method, client, stage
}

func newEvent(e map[string]any, q *http.Request, header http.Header, client, stage string) {
	e["rawPath"], e["rawQueryString"] = client, q.URL.RawQuery
	delete(e, "cookies")
	if cookies := header["Cookie"]; len(cookies) > 0 {
		e["cookies"] = strings.Split(strings.Join(cookies, "; "), "; ")
		header.Del("Cookie")
	}
	headers := make(map[string]string)
	for name, values := range header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	e["headers"] = headers
	delete(e, "queryStringParameters")
	if query := q.URL.Query(); len(query) > 0 {
		e["queryStringParameters"] = last(query)
	}
	context := within(e, "requestContext")
	inner := within(context, "http")
	inner["method"], inner["path"] = q.Method, client
	if stage != "" {
		context["stage"] = stage
	}
}

// balancerEvent passes the query's parameters on as they were written.
func balancerEvent(e map[string]any, q *http.Request, header http.Header, path string, multi bool) {
	e["httpMethod"], e["path"] = q.Method, path
	query := url.Values{}
	for pair := range strings.SplitSeq(q.URL.RawQuery, "&") {
		if name, value, _ := strings.Cut(pair, "="); name != "" {
			query[name] = append(query[name], value)
		}
	}
	lower := make(http.Header)
	for name, values := range header {
		lower[strings.ToLower(name)] = values
	}
	if multi {
		e["multiValueHeaders"], e["multiValueQueryStringParameters"] = lower, query
	} else {
		e["headers"], e["queryStringParameters"] = last(lower), last(query)
	}
	if e["body"] == nil {
		e["body"] = ""
	}
}

// last has the last value of each name.
func last(all map[string][]string) map[string]string {
	one := make(map[string]string, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if values := all[name]; len(values) > 0 {
			one[name] = values[len(values)-1]
		}
	}
	return one
}

func within(e map[string]any, name string) map[string]any {
	inner, ok := e[name].(map[string]any)
	if !ok {
		inner = make(map[string]any)
		e[name] = inner
	}
	return inner
}
