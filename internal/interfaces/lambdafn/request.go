package lambdafn

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

var errBase64 = errors.New("the body of the event is said to be Base64 and is not")

// request makes the request that an event stands for, at its path in the API.
func request(ctx context.Context, e *event, k kind, path string) (*http.Request, error) {
	body, err := e.body()
	if err != nil {
		return nil, err
	}
	r := &http.Request{
		Method: e.HTTPMethod, URL: &url.URL{Path: path, RawQuery: e.query(k)},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.header(), Body: http.NoBody, ContentLength: int64(len(body)),
	}
	if plain, err := url.PathUnescape(path); err == nil { // not every gateway escapes; a stray % is none of an escape
		r.URL.Path, r.URL.RawPath = plain, path
	}
	if k == httpAPI {
		r.Method = e.Context.HTTP.Method
	}
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.RequestURI = r.URL.RequestURI()
	r.Host = cmp.Or(r.Header.Get("Host"), e.Context.DomainName)
	r.RemoteAddr = e.client()
	r.Header.Del("Host") // as in every request of a server
	if e.secure(k) {
		r.TLS = new(tls.ConnectionState) // of whoever took the request, which tells no more of it
	}
	if k == restAPI {
		// A REST API passes on compressed answers as they are in the event, as Base64, unless it was told which types
		// are binary. It compresses by itself if it is told to.
		r.Header.Del("Accept-Encoding")
	}
	correlate(ctx, e, r.Header)
	return r.WithContext(e.identified(ctx, k)), nil
}

// body returns the bytes of the request's body.
func (e *event) body() ([]byte, error) {
	if e.Body == nil {
		return nil, nil
	}
	if !e.IsBase64 {
		return []byte(*e.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(*e.Body)
	if err != nil {
		return nil, errBase64
	}
	return body, nil
}

// header returns the request's header. Events have it once for each name, or with all values, or both.
func (e *event) header() http.Header {
	h := make(http.Header, len(e.Headers)+len(e.MultiValueHeaders)+2)
	for name, values := range e.MultiValueHeaders {
		name = http.CanonicalHeaderKey(name)
		h[name] = append(h[name], values...)
	}
	for name, value := range e.Headers {
		if name = http.CanonicalHeaderKey(name); h[name] == nil {
			h[name] = []string{value}
		}
	}
	if len(e.Cookies) > 0 {
		h["Cookie"] = []string{strings.Join(e.Cookies, "; ")}
	}
	return h
}

// query returns the request's query. API Gateway's REST APIs give its parameters decoded, load balancers as the client
// wrote them, and the newer form has the whole query as it was.
func (e *event) query(k kind) string {
	if k == httpAPI {
		return e.RawQueryString
	}
	values := e.MultiValueQuery
	if len(values) == 0 {
		values = make(map[string][]string, len(e.Query))
		for name, value := range e.Query {
			values[name] = []string{value}
		}
	}
	if k == restAPI {
		return url.Values(values).Encode()
	}
	var q strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			if q.Len() > 0 {
				q.WriteByte('&')
			}
			q.WriteString(escaped(name))
			q.WriteByte('=')
			q.WriteString(escaped(value))
		}
	}
	return q.String()
}

// escaped returns text that should be escaped for a query already, and escapes it if it can't have been.
func escaped(text string) string {
	if _, err := url.QueryUnescape(text); err != nil || strings.ContainsAny(text, " &#=") {
		return url.QueryEscape(text)
	}
	return text
}

// client is the address from which the request came, with port 0 as that is not told. A load balancer tells it as the last
// one in X-Forwarded-For, which is the one that the balancer itself wrote.
func (e *event) client() string {
	ip := e.Context.Identity.SourceIP
	switch {
	case e.Context.HTTP != nil:
		ip = e.Context.HTTP.SourceIP
	case e.Context.ELB != nil:
		forwarded := strings.Join(e.header()["X-Forwarded-For"], ",")
		ip = strings.TrimSpace(forwarded[strings.LastIndexByte(forwarded, ',')+1:])
	}
	if ip == "" {
		return ""
	}
	return net.JoinHostPort(ip, "0")
}

// secure tells whether the client asked by https. Gateways and function URLs take nothing else; a load balancer says what it took.
func (e *event) secure(k kind) bool {
	if k != loadBalancer {
		return true
	}
	said := strings.Join(e.header()["X-Forwarded-Proto"], ",")
	return strings.EqualFold(strings.TrimSpace(said[strings.LastIndexByte(said, ',')+1:]), "https")
}

// correlate gives a request the id and the trace that AWS knows it by, unless the client has sent its own.
func correlate(ctx context.Context, e *event, h http.Header) {
	if h.Get("X-Request-ID") == "" {
		id := e.Context.RequestID
		if invocation, ok := lambdacontext.FromContext(ctx); ok {
			id = cmp.Or(id, invocation.AwsRequestID)
		}
		if id != "" {
			h.Set("X-Request-ID", id)
		}
	}
	// The trace of a caller that sends a traceparent goes before AWS's, which the API takes from its own header.
	if header := invocationTrace(ctx); header != "" {
		h["X-Amzn-Trace-Id"] = []string{header}
	}
}

// invocationTrace is the X-Ray trace header of an invocation, as the runtime puts it into its context; "" for none.
func invocationTrace(ctx context.Context) string {
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	return header
}
