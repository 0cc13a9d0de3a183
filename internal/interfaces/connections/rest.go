package connections

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// A client that was told to come back later may ask again at once, and again. Each time costs the service some of the work that it
// has too much of. So the connection may be left unread for a while: the client's next request then waits where it costs nothing.

// rest is such a while, in nanoseconds.
type rest struct {
	wanted atomic.Int64 // once the answer is written
	until  atomic.Int64 // in Unix nanoseconds; 0 when there is none
	waited atomic.Int64 // how long what was read after it may have waited
}

// begin begins the rest that is wanted. The server calls it when nothing of the answer is left to be written, and before it reads
// on: to read and to write at the same time is what it does while a request is worked on.
func (r *rest) begin() {
	r.waited.Store(0)
	if d := r.wanted.Swap(0); d > 0 {
		r.until.Store(time.Now().UnixNano() + d)
	}
}

// Rest has the connection of a request of HTTP/1 be left unread for a while, once the request is answered. It counts as idle
// then: it goes first when there are too many. The end of the server ends the rest. ctx is that of the request; without a connection
// of a Listener, whose server has Context as its ConnContext, nothing happens.
func Rest(ctx context.Context, d time.Duration) {
	if c, ok := ctx.Value(connKey{}).(*Conn); ok {
		c.rest.wanted.Store(int64(d))
	}
}

// Rested returns how long a request may have been waiting because its connection rested: from the beginning of the rest, if it was
// there at its end, and 0 otherwise. ctx is that of the request.
func Rested(ctx context.Context) time.Duration {
	if c, ok := ctx.Value(connKey{}).(*Conn); ok {
		return time.Duration(c.rest.waited.Load())
	}
	return 0
}

type connKey struct{}

// Context is the server's ConnContext: requests learn which connection they came on.
func Context(ctx context.Context, conn net.Conn) context.Context {
	if c := below(conn); c != nil {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// prompt is how long it takes at most to read what is there.
const prompt = time.Millisecond

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	until := c.rest.until.Load()
	if until == 0 {
		return c.TCPConn.Read(b) //nolint:wrapcheck // net/http looks at what it is
	}
	c.rest.until.Store(0)
	began := time.Now()
	c.sleep(time.Until(time.Unix(0, until)))
	ended := time.Now()
	n, err := c.TCPConn.Read(b)
	if n > 0 && time.Since(ended) < prompt {
		c.rest.waited.Store(int64(ended.Sub(began)))
	}
	return n, err //nolint:wrapcheck // as above
}

// sleep lasts until the connection is closed at the latest.
func (c *Conn) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.closed:
	}
}
