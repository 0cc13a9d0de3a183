package httpapi

import (
	"net/http"
	"strconv"
)

// What is told of requests in the log, in measurements and in traces is told by these names alone, so that a request has the same in
// all three, and a client's own text comes into none.

// The values of url.scheme.
const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
)

// methods are those that HTTP knows. Others are the client's own text, and stand together for otherMethod.
var methods = [...]string{
	http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodHead, http.MethodPut, http.MethodDelete,
	http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

const otherMethod = "_OTHER"

// methodOf returns the method by which a request is told of. It is never the request's own string, which what is measured would keep,
// and with it the whole line that it is a part of.
func methodOf(r *http.Request) string {
	for _, m := range methods {
		if m == r.Method {
			return m
		}
	}
	return otherMethod
}

// schemeOf returns the scheme by which the client asked.
func (x *exchange) schemeOf() string {
	if x.r.TLS != nil || len(x.api.TrustedProxies) > 0 && x.from().HTTPS {
		return schemeHTTPS
	}
	return schemeHTTP
}

// versionOf returns the version of HTTP; later ones than 1 have no minor one.
func versionOf(r *http.Request) string {
	switch {
	case r.ProtoMajor > 1:
		return strconv.Itoa(r.ProtoMajor)
	case r.ProtoMinor == 0:
		return "1.0"
	default:
		return "1.1"
	}
}

// route returns the path of the operation with names in braces, "" when there is none.
func (x *exchange) route() string {
	if x.op == nil {
		return ""
	}
	return x.op.path
}
