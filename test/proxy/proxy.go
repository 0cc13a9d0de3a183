// Package proxy stands between a program and a server on TCP, and breaks what is between them in the ways in which networks
// do: it delays, cuts, loses answers, half-closes, and swallows everything without a word.
//
// It passes bytes and knows no protocol. What it calls a request is what a client sends until the server says something, and
// an answer is what the server says until the client sends something: that holds for every protocol with one request at a
// time on a connection, as HTTP/1.1 and the drivers' pools of MongoDB connections have it.
//
//	p := proxy.Start(t, "127.0.0.1:27017")
//	store := open(t, p.Addr())
//	lost := p.CutAfterSending(1, "\x02insert\x00")
//	err := store.Create(ctx, order) // the server has it, the client does not know
//	<-lost
package proxy

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// Proxy is a listener on a port of its own, and the connections made through it. It begins by passing everything on. Its
// methods are safe for concurrent use, and what they do has happened when they return.
type Proxy struct {
	target   string
	listener net.Listener
	running  sync.WaitGroup // the accepting and every connection

	mu      sync.Mutex
	mode    mode
	delay   time.Duration
	changed chan struct{} // closed, and replaced, when the delay changes
	losses  []*loss       // what CutAfterSending was told and has not met yet
	links   map[*link]struct{}
}

// mode is what becomes of connections.
type mode int

const (
	passing mode = iota
	cutting
	swallowing
)

// loss is one order to lose answers.
type loss struct {
	marker []byte
	left   int // requests yet to be met
	unmet  int // answers yet to be lost
	done   chan struct{}
}

// Start puts a proxy in front of the server at address ("host:port") until the test ends. The server need not be there yet:
// while it is not, connections are accepted and cut.
func Start(tb testing.TB, address string) *Proxy {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("listen for the proxy: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Proxy{target: address, listener: listener, changed: make(chan struct{}), links: map[*link]struct{}{}}
	p.running.Go(func() { p.accept(ctx) })
	tb.Cleanup(func() {
		stop()
		_ = listener.Close() // Nobody else closes it.
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Addr returns where the proxy listens, as "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut resets all connections, and every new one as soon as it is made, until Heal. The port stays the proxy's own, so a
// client sees its connection reset rather than refused.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = cutting
	for l := range p.links {
		l.cut()
	}
}

// BlackHole throws away all that either side says, on the connections that there are and on new ones, which are accepted and
// never reach the server, until Heal. Nobody is told: a client waits until it loses patience.
func (p *Proxy) BlackHole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = swallowing
	for l := range p.links {
		l.deaf, l.mute = true, true
	}
}

// HalfClose ends the connections that there are toward the server only: it sees the client hang up, while the client's side
// stays open, what it sends is thrown away, and of the server's end it hears nothing. New connections are as before.
func (p *Proxy) HalfClose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.deaf, l.open = true, true
		if l.server != nil {
			_ = l.server.CloseWrite() // It may be gone already.
		}
	}
}

// Delay holds every answer back for d, counted from its first byte, until Heal or the next Delay, which count for answers
// that are being held too. The server has done by then what it was asked.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setDelay(d)
}

// CutAfterSending lets the next n requests through whose bytes hold the marker (any bytes: a command's name, an id; "" for
// every request) and resets their connections when the answer comes, instead of passing it on: the server has done what it
// was asked, and the client cannot know. It may be called again for another marker; a request counts for the first that fits.
//
// The channel is closed when the last of them is cut. After Heal no further request is met.
func (p *Proxy) CutAfterSending(n int, marker string) <-chan struct{} {
	order := &loss{marker: []byte(marker), left: n, unmet: n, done: make(chan struct{})}
	if n <= 0 {
		close(order.done)
		return order.done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.losses = append(p.losses, order)
	return order.done
}

// Heal ends whatever was asked for: new connections pass, and held answers go on. Connections that were in a black hole or
// half-closed may have lost bytes and could not make sense any more, so those are reset.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = passing
	p.losses = nil
	p.setDelay(0)
	for l := range p.links {
		if l.deaf || l.mute {
			l.cut()
		}
	}
}

// Connections returns how many clients are connected now.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// setDelay needs the lock.
func (p *Proxy) setDelay(d time.Duration) {
	p.delay = d
	close(p.changed)
	p.changed = make(chan struct{})
}

// accept takes connections until the listener is closed.
func (p *Proxy) accept(ctx context.Context) {
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if client, ok := conn.(*net.TCPConn); ok && err == nil {
			p.running.Go(func() { p.serve(ctx, client) })
		}
	}
}

// serve passes on what is said on one connection, until both sides have ended.
func (p *Proxy) serve(ctx context.Context, client *net.TCPConn) {
	l := p.connect(ctx, client)
	if l == nil {
		return
	}
	var answers sync.WaitGroup
	if l.server != nil {
		answers.Go(func() { p.passAnswers(l) })
	}
	p.passRequests(l)
	answers.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
	l.close()
}

// connect makes the link from a client to the server; nil means that there is none, and the client is cut off.
func (p *Proxy) connect(ctx context.Context, client *net.TCPConn) *link {
	l := &link{client: client, gone: make(chan struct{})}
	if p.now() == passing {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.target)
		server, ok := conn.(*net.TCPConn)
		if err != nil || !ok {
			l.cut()
			return nil
		}
		l.server = server
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// What was asked for while the server was being reached counts for this connection too. One that has no server now, as
	// it was made in a black hole, cannot get one when that has ended meanwhile.
	if p.mode == cutting || p.mode == passing && l.server == nil || ctx.Err() != nil {
		l.cut()
		return nil
	}
	l.deaf, l.mute = p.mode == swallowing, p.mode == swallowing
	p.links[l] = struct{}{}
	return l
}

// now returns the mode.
func (p *Proxy) now() mode {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode
}

// request notes that a client has sent something, and says whether it is to be passed on.
func (p *Proxy) request(l *link, sent []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.deaf {
		return false
	}
	fresh := !l.asked
	if fresh {
		l.asked, l.seen = true, nil
	}
	if l.lost == nil {
		p.meet(l, sent, fresh)
	}
	return true
}

// meet looks whether the answer to a request is to be lost. It needs the lock.
func (p *Proxy) meet(l *link, sent []byte, fresh bool) {
	l.seen = append(l.seen, sent...)
	longest := 1
	for i, order := range p.losses {
		if fresh && len(order.marker) == 0 || len(order.marker) > 0 && bytes.Contains(l.seen, order.marker) {
			l.lost = order
			order.left--
			if order.left == 0 {
				p.losses = slices.Delete(p.losses, i, i+1)
			}
			return
		}
		longest = max(longest, len(order.marker))
	}
	// A marker may come in two pieces; more than that of a request is not kept.
	l.seen = slices.Clone(l.seen[max(0, len(l.seen)-longest+1):])
}

// answer notes that the server has said something, waits as long as it is to be held back, and says whether it is to be
// passed on.
func (p *Proxy) answer(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.lost != nil && l.asked {
		l.cut()
		return false
	}
	if l.asked {
		l.asked = false
		p.hold(l)
	}
	return !l.mute
}

// hold waits for the delay to pass. It needs the lock, and lets go of it while it waits.
func (p *Proxy) hold(l *link) {
	began := time.Now()
	for p.delay > 0 {
		rest := time.NewTimer(p.delay - time.Since(began))
		changed := p.changed
		p.mu.Unlock()
		passed := false
		select {
		case <-rest.C:
			passed = true
		case <-changed:
		case <-l.gone:
			passed = true
		}
		rest.Stop()
		p.mu.Lock()
		if passed {
			return
		}
	}
}
