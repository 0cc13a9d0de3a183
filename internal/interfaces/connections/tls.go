package connections

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"
)

// Secure returns a listener that speaks TLS on the connections of another one. It hands out *tls.Conn whose handshake is over, so
// that it is known what will be spoken. A handshake takes at most the given time. One that fails is told to the log at DEBUG:
// anybody can have as many of them as they like.
func Secure(listener net.Listener, config *tls.Config, timeout time.Duration, log *slog.Logger) net.Listener {
	ctx, stop := context.WithCancel(context.Background())
	l := &secureListener{
		Listener: listener, config: config, timeout: timeout, log: log, ctx: ctx, stop: stop, ready: make(chan accepted),
	}
	l.working.Go(l.run)
	return l
}

// secureListener speaks TLS. Its handshakes go on side by side, as many as there may be connections.
type secureListener struct {
	net.Listener

	config  *tls.Config
	timeout time.Duration
	log     *slog.Logger
	ctx     context.Context //nolint:containedctx // it lives as long as the listener does
	stop    context.CancelFunc
	ready   chan accepted
	working sync.WaitGroup
}

type accepted struct {
	conn net.Conn
	err  error
}

// Accept implements net.Listener.
func (l *secureListener) Accept() (net.Conn, error) {
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Handshakes that go on are broken off.
func (l *secureListener) Close() error {
	l.stop()
	err := l.Listener.Close()
	l.working.Wait()
	return err //nolint:wrapcheck // the listener is the caller's
}

// run accepts until the listener is closed. What Accept of the other listener fails with is the server's to deal with: it waits
// before it accepts again, and so does this.
func (l *secureListener) run() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			l.hand(accepted{err: err})
			if errors.Is(err, net.ErrClosed) || l.ctx.Err() != nil {
				return
			}
			continue
		}
		l.working.Go(func() { l.shake(conn) })
	}
}

// hand gives something to Accept. It reports whether that took it.
func (l *secureListener) hand(a accepted) bool {
	select {
	case l.ready <- a:
		return true
	case <-l.ctx.Done():
		return false
	}
}

func (l *secureListener) shake(conn net.Conn) {
	ctx, cancel := context.WithTimeout(l.ctx, l.timeout)
	defer cancel()
	secure := tls.Server(conn, l.config)
	err := secure.HandshakeContext(ctx)
	if err == nil && l.hand(accepted{conn: secure}) {
		return
	}
	if plain, ok := errors.AsType[tls.RecordHeaderError](err); ok && plain.Conn != nil && looksLikeHTTP(plain.RecordHeader) {
		_ = plain.Conn.SetWriteDeadline(time.Now().Add(l.timeout))
		_, _ = io.WriteString(plain.Conn, noTLS)
		err = errors.New("the client speaks HTTP without TLS")
	}
	if err != nil {
		l.log.DebugContext(l.ctx, "TLS handshake failed", "error", err)
	}
	_ = conn.Close() // nobody has it
}

// noTLS is the answer to a request that came without TLS. Whoever sent it reads it as HTTP.
const noTLS = "HTTP/1.1 400 Bad Request\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: 35\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n\r\nthis port takes https:// addresses\n"

// looksLikeHTTP tells whether what stands where TLS would begin is the beginning of a request.
func looksLikeHTTP(start [5]byte) bool {
	return slices.Contains([]string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO"}, string(start[:]))
}
