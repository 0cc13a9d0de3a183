// Package connections is the listener below a server: it bounds how many connections there are, and speaks TLS on them.
//
// A bound is no wall in front of those who come next: whoever holds connections without using them would shut the others out.
// So a new connection takes the place of one that has been idle the longest, and is refused only when all are in use. One is in
// use from when the header of a request has come whole until that is answered.
//
// A connection whose request was refused can be left unread for a while: it rests, in a line with others, and is read again when its turn
// comes (Rest, lot). It gives way before those that are idle by themselves: its client was told to come later, and may have left.
package connections

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Limits says how many connections there may be.
type Limits struct {
	// Max is how many there may be together; zero or less for any number.
	Max int
	// PerNetwork is how many there may be of one network; zero or less for any number.
	PerNetwork int
	// Network says which addresses count as one, and whether they count towards PerNetwork at all. It is called for each new
	// connection. Nil has each address for itself.
	Network func(netip.Addr) (network netip.Prefix, counts bool)
	// Release tells how many of the connections that rest may be read again before their time, those that have rested the longest. It
	// is called every 10 ms while there are any. Nil for none.
	Release func() int
	// Log is told, at most once in a minute, that connections had to go or could not come.
	Log *slog.Logger
}

// quiet is how long the log hears nothing more of connections that there were too many of.
const quiet = time.Minute

// lull is how long nobody looks for an idle connection after there was none: a look goes over all of them.
const lull = 10 * time.Millisecond

// Listener bounds the connections of another listener. Its server must be given State as ConnState.
type Listener struct {
	net.Listener

	limits Limits
	began  time.Time
	lot    lot

	mu       sync.Mutex
	all      group
	networks map[netip.Prefix]*group

	// For the one goroutine that accepts.
	said            time.Time
	evicted, turned int // since said
}

// group is connections that are counted together.
type group struct {
	conns []*Conn
	inUse time.Time // when all of them were, at the last look; guarded by the listener's mu
}

// Limit returns a listener with limits. Only TCP connections are counted.
func Limit(listener net.Listener, limits Limits) *Listener {
	return &Listener{
		Listener: listener, limits: limits, began: time.Now(), lot: lot{release: limits.Release},
		networks: make(map[netip.Prefix]*group),
	}
}

// Accept implements net.Listener. One goroutine may call it at a time.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // net/http looks at what it is
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			return conn, nil
		}
		if c := l.admit(tcp); c != nil {
			return c, nil
		}
		l.turned++
		l.tell()
		_ = tcp.Close() // nobody is there who could be told
	}
}

// admit counts a new connection in, or returns nil.
func (l *Listener) admit(tcp *net.TCPConn) *Conn {
	c := &Conn{TCPConn: tcp, listener: l, closed: make(chan struct{})}
	c.rest.end, c.rest.over = make(chan struct{}, 1), make(chan struct{}, 1)
	c.idle.Store(l.now())
	if l.limits.PerNetwork > 0 {
		if network, counts := l.networkOf(tcp.RemoteAddr()); counts {
			c.network = network
		}
	}
	if !l.room(c) {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.add(c, all)
	if c.network.IsValid() {
		g := l.networks[c.network]
		if g == nil {
			g = new(group)
			l.networks[c.network] = g
		}
		g.add(c, own)
	}
	return c
}

// room sees to it that there is room for one more connection, if need be by closing idle ones.
func (l *Listener) room(c *Conn) bool {
	l.mu.Lock()
	var idle []*Conn
	fits := true
	if l.limits.Max > 0 && len(l.all.conns) >= l.limits.Max {
		idle = l.all.oldest()
		fits = len(idle) > 0
	}
	if g := l.networks[c.network]; fits && g != nil && len(g.conns) >= l.limits.PerNetwork {
		others := g.oldest()
		fits = len(others) > 0
		idle = append(idle, others...)
	}
	l.mu.Unlock()
	for _, c := range idle {
		_ = c.Close() // it was to go either way
	}
	if len(idle) > 0 {
		l.evicted += len(idle)
		l.tell()
	}
	return fits
}

func (l *Listener) networkOf(remote net.Addr) (netip.Prefix, bool) {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}, false
	}
	address := tcp.AddrPort().Addr().Unmap().WithZone("")
	if l.limits.Network == nil {
		return netip.PrefixFrom(address, address.BitLen()), true
	}
	return l.limits.Network(address)
}

// tell has the log hear of it.
func (l *Listener) tell() {
	if l.limits.Log == nil || time.Since(l.said) < quiet {
		return
	}
	l.limits.Log.WarnContext(context.Background(), "too many connections", "closed_idle", l.evicted, "refused", l.turned,
		"max_connections", l.limits.Max, "max_connections_per_address", l.limits.PerNetwork)
	l.said, l.evicted, l.turned = time.Now(), 0, 0
}

// Len returns how many connections there are.
func (l *Listener) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all.conns)
}

// Resting returns how many connections rest.
func (l *Listener) Resting() int { return l.lot.size() }

// Count returns how many connections there are, and how many of them are idle. It looks at all of them.
func (l *Listener) Count() (open, idle int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.all.conns {
		if c.idle.Load() > 0 {
			idle++
		}
	}
	return len(l.all.conns), idle
}

// State is the server's ConnState: it learns which connections are idle.
func (l *Listener) State(conn net.Conn, state http.ConnState) {
	c := below(conn)
	if c == nil {
		return
	}
	switch was := c.idle.Load(); {
	case state == http.StateActive && was > 0:
		c.idle.CompareAndSwap(was, 0)
	case state == http.StateIdle && was == 0:
		c.idle.CompareAndSwap(0, l.now())
		c.rest.begin(l.now())
	}
}

// now is a time that only grows, more than 0.
func (l *Listener) now() int64 { return int64(time.Since(l.began)) + 1 }

// below returns the connection of a Listener below others, or nil.
func below(conn net.Conn) *Conn {
	for {
		switch c := conn.(type) {
		case *Conn:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// The groups that a connection is in.
const (
	all = iota
	own // that of its network
	groups
)

// Conn is a connection that is counted until it is closed. It is a TCP connection to its last method.
type Conn struct {
	*net.TCPConn

	listener *Listener
	network  netip.Prefix // the zero one when it is not counted
	idle     atomic.Int64 // since when, as now tells it; 0 while it is in use, less once it is chosen to go
	place    [groups]int  // in its groups; guarded by the listener's mu
	gone     atomic.Bool
	closed   chan struct{} // once it is gone
	rest     rest
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	if c.gone.CompareAndSwap(false, true) {
		c.listener.forget(c)
		close(c.closed)
	}
	return c.TCPConn.Close() //nolint:wrapcheck // net/http looks at what it is
}

func (l *Listener) forget(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.remove(c, all)
	if g := l.networks[c.network]; g != nil {
		g.remove(c, own)
		if len(g.conns) == 0 {
			delete(l.networks, c.network)
		}
	}
}

func (g *group) add(c *Conn, as int) {
	c.place[as] = len(g.conns)
	g.conns = append(g.conns, c)
}

func (g *group) remove(c *Conn, as int) {
	last := len(g.conns) - 1
	moved := g.conns[last]
	g.conns[c.place[as]], moved.place[as] = moved, c.place[as]
	g.conns[last] = nil
	g.conns = g.conns[:last]
}

// share is which part of a group goes at once when it is full, so that not every new connection looks at all others.
const share = 64

// oldest chooses the connections that rest, and then those that have been idle the longest: a small part of the group, or none if none is
// idle. Those that are chosen must be closed.
func (g *group) oldest() []*Conn {
	if time.Since(g.inUse) < lull {
		return nil
	}
	type candidate struct {
		c     *Conn
		since int64
		rests bool
	}
	var idle []candidate
	for _, c := range g.conns {
		if since := c.idle.Load(); since > 0 {
			idle = append(idle, candidate{c, since, c.rest.asleep.Load()})
		}
	}
	slices.SortFunc(idle, func(a, b candidate) int {
		if a.rests != b.rests {
			if a.rests {
				return -1
			}
			return 1
		}
		return int(a.since - b.since)
	})
	most := len(g.conns)/share + 1
	var chosen []*Conn
	for _, i := range idle {
		if len(chosen) == most {
			break
		}
		if i.c.idle.CompareAndSwap(i.since, -1) {
			chosen = append(chosen, i.c)
		}
	}
	if len(chosen) == 0 {
		g.inUse = time.Now()
	}
	return chosen
}
