package httpapi

import (
	"net/http"
	"strings"
)

// crossOrigin says which pages of other origins may call the API from a browser, and what they may send and see. Nothing is sent
// about credentials: browsers then leave cookies and client certificates out, while pages send tokens and keys as headers.
type crossOrigin struct {
	all     bool
	allowed map[string][]string // an origin, as the value of a header
}

// Values of headers that do not change are shared between all answers.
var (
	anyOrigin = []string{"*"}
	exposed   = []string{strings.Join([]string{
		"Allow", "Content-Disposition", "ETag", headerReplayed, "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After",
		"WWW-Authenticate", "X-Request-ID",
	}, ", ")}
	sendable = []string{strings.Join([]string{
		"Authorization", "Content-Type", headerKey, "If-Match", "If-None-Match", HeaderAPIKey, "X-Request-ID", "traceparent",
		"tracestate",
	}, ", ")}
	preflightAge = []string{"600"} // seconds
)

// newCrossOrigin returns nil when there are no origins.
func newCrossOrigin(origins []string) *crossOrigin {
	if len(origins) == 0 {
		return nil
	}
	c := &crossOrigin{allowed: make(map[string][]string, len(origins))}
	for _, origin := range origins {
		c.all = c.all || origin == "*"
		c.allowed[origin] = []string{origin}
	}
	return c
}

// allow notes in the answer's header whether the page that asks may see the answer. It reports whether it may.
func (c *crossOrigin) allow(x *exchange) bool {
	if c == nil {
		return false
	}
	origin := x.r.Header["Origin"]
	value := anyOrigin
	if !c.all {
		x.vary("Origin")
		if len(origin) == 1 {
			value = c.allowed[origin[0]]
		}
	}
	if len(origin) != 1 || value == nil {
		return false
	}
	h := x.w.Header()
	h["Access-Control-Allow-Origin"] = value
	h["Access-Control-Expose-Headers"] = exposed
	return true
}

// isPreflight tells whether a browser asks what a page may do before it does it. Such a request never says who calls.
func (x *exchange) isPreflight() bool {
	return x.r.Method == http.MethodOptions && len(x.r.Header["Access-Control-Request-Method"]) == 1
}

// preflight answers with what a page may do at a place. Whether the method is among that is the browser's to look at.
func (x *exchange) preflight(place *node) error {
	h := x.w.Header()
	delete(h, "Access-Control-Expose-Headers")
	h["Access-Control-Allow-Methods"] = []string{place.allow}
	h["Access-Control-Allow-Headers"] = sendable
	h["Access-Control-Max-Age"] = preflightAge
	x.vary("Access-Control-Request-Method, Access-Control-Request-Headers")
	x.start(http.StatusNoContent)
	return nil
}

// vary notes that the answer is another one for other values of a header of the request.
func (x *exchange) vary(header string) {
	h := x.w.Header()
	h["Vary"] = append(h["Vary"], header)
}
