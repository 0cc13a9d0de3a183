package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/wire"
)

// AnswerUnread returns a listener for the server that New's handler runs in. What net/http can't read
// as a request never gets to a handler: it is answered by net/http itself, in plain text, past the log.
// On connections of this listener that answer becomes a problem like all others, with a log line. TLS connections must have their
// handshake behind them; those that speak HTTP/2 are left as they are, as they have answers of their own for that.
func AnswerUnread(listener net.Listener, log *slog.Logger) net.Listener {
	return unreadListener{listener, log}
}

type unreadListener struct {
	net.Listener

	log *slog.Logger
}

// Accept implements net.Listener.
func (l unreadListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	switch c := conn.(type) {
	case *tls.Conn:
		state := c.ConnectionState()
		if !state.HandshakeComplete || state.NegotiatedProtocol == "h2" {
			return c, err //nolint:wrapcheck // net/http looks at what it is
		}
		return unreadTLSConn{&unreadConn{halfClosing: c, log: l.log, secure: true}, state}, nil
	case halfClosing:
		return &unreadConn{halfClosing: c, log: l.log}, nil
	default:
		return conn, err //nolint:wrapcheck // net/http looks at what it is
	}
}

// halfClosing is a connection that can say that nothing more comes while it still listens. Net/http does so, that an answer
// arrives.
type halfClosing interface {
	net.Conn
	CloseWrite() error
}

// unreadConn is a connection whose server may find that it can't read a request.
type unreadConn struct {
	halfClosing

	log    *slog.Logger
	secure bool // whether it is TLS
}

// NetConn returns the connection below.
func (c *unreadConn) NetConn() net.Conn { return c.halfClosing }

// unreadTLSConn is one after a handshake that did not lead to HTTP/2.
type unreadTLSConn struct {
	*unreadConn

	state tls.ConnectionState
}

// ConnectionState is what net/http asks for, to fill in Request.TLS.
func (c unreadTLSConn) ConnectionState() tls.ConnectionState { return c.state }

// Write implements net.Conn.
func (c *unreadConn) Write(b []byte) (int, error) {
	status, ok := unreadStatus(b)
	if !ok {
		return c.halfClosing.Write(b) //nolint:wrapcheck // net/http looks at what it is
	}
	answer := c.answer(status)
	if n, err := c.halfClosing.Write(answer); err != nil {
		return min(n, len(b)), err
	}
	return len(b), nil
}

// unreadStatus returns the status of an answer that is net/http's own. Those are written at once, with
// a header that no answer of a handler has, as each of them has more before or between these lines; in
// the middle of a body line ends of this kind can't stand, because no text of an order has them.
func unreadStatus(b []byte) (int, bool) {
	const start = "HTTP/1.1 "
	if len(b) <= len(start)+3 || string(b[:len(start)]) != start || (b[len(start)] != '4' && b[len(start)] != '5') {
		return 0, false
	}
	status, err := strconv.Atoi(string(b[len(start) : len(start)+3]))
	if err != nil {
		return 0, false
	}
	own := "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	if status == http.StatusExpectationFailed {
		own = "Connection: close\r\n"
	}
	_, header, _ := bytes.Cut(b, []byte("\r\n"))
	return status, bytes.HasPrefix(header, []byte(own))
}

// answer writes the answer that stands in for net/http's, and logs it.
func (c *unreadConn) answer(status int) []byte {
	p := wire.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, RequestID: correlation.NewRequestID(),
	}
	p.Code, p.Detail = unreadProblem(status)
	p.Error = p.Detail
	body := wire.AppendProblem(nil, &p)
	ctx := correlation.WithRequestID(context.Background(), p.RequestID)
	c.log.LogAttrs(ctx, slog.LevelInfo, "request not read", // it has no method, no route and no beginning to be timed from
		slog.Int("status", status), slog.Int("bytes", len(body)), slog.String("code", p.Code))
	transport := ""
	if c.secure {
		transport = "Strict-Transport-Security: " + onlyHTTPS[0] + "\r\n"
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: %d\r\n"+
		"Content-Security-Policy: %s\r\nContent-Type: application/problem+json\r\nCross-Origin-Resource-Policy: %s\r\nDate: %s\r\n"+
		"Referrer-Policy: %s\r\n%sX-Content-Type-Options: nosniff\r\n%s: %s\r\n\r\n%s",
		status, p.Title, len(body), noContent[0], sameOrigin[0], time.Now().UTC().Format(http.TimeFormat), noReferrer[0], transport,
		headerRequestID, p.RequestID, body)
}

// unreadProblem says what net/http could not read. Its own words are for readers of its source.
func unreadProblem(status int) (code, detail string) {
	switch status {
	case http.StatusRequestHeaderFieldsTooLarge:
		return "header_too_large", "the address and the headers are too long; send at most 64 KiB of both"
	case http.StatusExpectationFailed:
		return "expectation_unknown", "header.Expect must be 100-continue or absent"
	case http.StatusNotImplemented:
		return "transfer_encoding_unsupported", "header.Transfer-Encoding must be chunked or absent"
	case http.StatusHTTPVersionNotSupported:
		return "http_version_unsupported", "the request must be HTTP/1.1 or HTTP/1.0"
	default:
		return "request_malformed", "the request can't be read as HTTP: check its first line (signs that are not plain letters and digits " +
			"are written as %XX), its Host and its other headers"
	}
}
