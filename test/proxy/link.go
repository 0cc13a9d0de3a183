package proxy

import (
	"errors"
	"io"
	"net"
)

// link is one client's connection and the one to the server that belongs to it. Its fields below the connections are
// guarded by the proxy's lock.
type link struct {
	client *net.TCPConn
	server *net.TCPConn // nil in a black hole

	deaf  bool   // what the client says is thrown away
	mute  bool   // what the server says is thrown away
	open  bool   // the client is not told when the server hangs up
	asked bool   // a request has begun, and the answer has not
	seen  []byte // the request, as long as it is being looked at
	lost  *loss  // the order to lose the answer, once a request was met

	gone chan struct{} // closed when both are cut
}

// passRequests passes on what the client says, until it ends.
func (p *Proxy) passRequests(l *link) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buffer)
		if n > 0 && p.request(l, buffer[:n]) {
			if _, broken := l.server.Write(buffer[:n]); broken != nil && p.endUnlessDeaf(l) {
				return
			}
		}
		if err != nil {
			p.clientEnded(l, err)
			return
		}
	}
}

// passAnswers passes on what the server says, until it ends.
func (p *Proxy) passAnswers(l *link) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buffer)
		if n > 0 && p.answer(l) {
			if _, broken := l.client.Write(buffer[:n]); broken != nil {
				p.end(l)
				return
			}
		}
		if err != nil {
			p.serverEnded(l, err)
			return
		}
	}
}

// clientEnded tells the server that its client has ended, unless nothing gets through.
func (p *Proxy) clientEnded(l *link, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case l.mute && l.server != nil: // The server hears of it when the black hole ends.
	case l.open, !errors.Is(err, io.EOF):
		l.cut()
	case l.server != nil:
		_ = l.server.CloseWrite() // It may be gone already.
	}
}

// serverEnded tells the client that its server has ended, unless nothing gets through.
func (p *Proxy) serverEnded(l *link, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case l.mute, l.open:
	case !errors.Is(err, io.EOF):
		l.cut()
	default:
		_ = l.client.CloseWrite() // It may be gone already.
	}
}

// end resets both connections, as one of them is broken.
func (p *Proxy) end(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.cut()
}

// endUnlessDeaf resets both connections, as the server's is broken; false means that it was the proxy that closed it.
func (p *Proxy) endUnlessDeaf(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.deaf {
		return false
	}
	l.cut()
	return true
}

// cut resets both connections: unsent bytes are dropped. It needs the lock once others know the link.
func (l *link) cut() {
	for _, conn := range []*net.TCPConn{l.client, l.server} {
		if conn != nil {
			_ = conn.SetLinger(0) // Fails where the connection is closed already.
		}
	}
	l.close()
}

// close closes both connections; it may be called again, also after cut. It needs the lock once others know the link.
func (l *link) close() {
	select {
	case <-l.gone:
		return
	default:
		close(l.gone)
	}
	_ = l.client.Close() // Errors would tell of the other side, which is no concern here.
	if l.server != nil {
		_ = l.server.Close()
	}
	if l.lost != nil {
		l.lost.unmet--
		if l.lost.unmet == 0 {
			close(l.lost.done)
		}
	}
}
