package connections

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// A client that was told to come back later may ask again at once, and again. Each time costs the service some of the work that it
// has too much of. So the connection may be left unread for a while: the client's next request then waits where it costs nothing.

// rest is such a while.
type rest struct {
	wanted atomic.Int64  // in nanoseconds, once the answer is written
	until  atomic.Int64  // at the latest, in the listener's time; 0 when there is none
	waited atomic.Int64  // how long what was read after it may have waited, in nanoseconds
	asleep atomic.Bool   // the rest goes on
	end    chan struct{} // has room for one who says that a request is there
	over   chan struct{} // has room for the lot, which says that its time is over

	// Guarded by the lot's mu.
	inLot          bool
	ends           int64 // in the listener's time
	previous, next *Conn
}

// begin begins the rest that is wanted. The server calls it when nothing of the answer is left to be written, and before it reads
// on: to read and to write at the same time is what it does while a request is worked on.
func (r *rest) begin(now int64) {
	r.waited.Store(0)
	if d := r.wanted.Swap(0); d > 0 {
		r.until.Store(now + d)
	}
}

// Rest has the connection of a request of HTTP/1 be left unread once the request is answered, until Limits.Release lets it be read, most
// at the longest; 0 for no rest. It counts as idle then: it goes first when there are too many. The end of the server ends the rest. It returns how many
// connections rest already, which come first. ctx is that of the request; without a connection of a Listener, whose server has Context as
// its ConnContext, nothing happens.
func Rest(ctx context.Context, most time.Duration) (before int) {
	c, ok := ctx.Value(connKey{}).(*Conn)
	if !ok {
		return 0
	}
	c.rest.wanted.Store(int64(most))
	return c.listener.lot.size()
}

// Rested returns how long a request may have been waiting because its connection rested: from the beginning of the rest, if it was
// there at its end, and 0 otherwise. ctx is that of the request.
func Rested(ctx context.Context) time.Duration {
	if c, ok := ctx.Value(connKey{}).(*Conn); ok {
		return time.Duration(c.rest.waited.Load())
	}
	return 0
}

// Wake returns a handler that ends the rest of a connection when a request is there all the same: one that was sent together with
// the request before it, and read before the rest began. While it is worked on, the server reads to notice when its client leaves. It is
// the last one of its connection, or a client that sends many together would never rest.
func Wake(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*Conn); ok {
			if c.rest.wake() {
				w.Header()["Connection"] = []string{"close"}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// wake ends the rest, whether it is slept through already or not. It tells whether there was one.
func (r *rest) wake() bool {
	if r.until.Load() == 0 && !r.asleep.Load() {
		return false
	}
	r.until.Store(0)
	if r.asleep.Load() {
		select {
		case r.end <- struct{}{}:
		default:
		}
	}
	return true
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
	if c.rest.until.Load() == 0 {
		return c.TCPConn.Read(b) //nolint:wrapcheck // net/http looks at what it is
	}
	began := time.Now()
	slept := c.sleep()
	ended := time.Now()
	n, err := c.TCPConn.Read(b)
	switch {
	case slept && n > 0 && time.Since(ended) < prompt:
		c.rest.waited.Store(int64(ended.Sub(began)))
	case slept && n == 0 && err != nil: // the client has left
		c.listener.lot.wasGone()
	}
	return n, err //nolint:wrapcheck // as above
}

// sleep lasts until the end of the rest, or until the connection is closed or woken. It tells whether it was the end.
func (c *Conn) sleep() bool {
	select {
	case <-c.rest.end: // of the rest before, which was over already
	default:
	}
	c.rest.asleep.Store(true) // before it is looked at for how long: wake looks in the other order
	defer c.rest.asleep.Store(false)
	until := c.rest.until.Swap(0)
	if until == 0 {
		return false
	}
	c.listener.lot.add(c, until)
	select {
	case <-c.rest.over:
		return true
	case <-c.rest.end:
	case <-c.closed:
	}
	if !c.listener.lot.remove(c) {
		<-c.rest.over // in the same moment
	}
	return false
}
