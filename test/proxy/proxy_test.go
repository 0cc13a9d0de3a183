package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"order-processing-service/test/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

func TestPassesThrough(t *testing.T) {
	p := proxy.Start(t, startServer(t).addr())
	var clients sync.WaitGroup
	for i := range 8 {
		c := dial(t, p)
		clients.Go(func() {
			for j := range 50 {
				c.ask(fmt.Sprintf("client %d, request %d", i, j))
			}
		})
	}
	clients.Wait()
	if n := p.Connections(); n != 8 {
		t.Errorf("%d connections, want 8", n)
	}
}

// A client that hangs up gets all that the server still says.
func TestPassesAllBeforeTheEnd(t *testing.T) {
	p := proxy.Start(t, startServer(t).addr())
	c := dial(t, p)
	sent := append(bytes.Repeat([]byte("all of it "), 100_000), '\n')
	var sending sync.WaitGroup
	sending.Go(func() {
		c.say(string(sent))
		_ = c.conn.CloseWrite()
	})
	got, err := io.ReadAll(c.conn)
	sending.Wait()
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back and %v, want the %d that were sent", len(got), err, len(sent))
	}
}

func TestCut(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	old := dial(t, p)
	old.ask("before")
	p.Cut()
	old.wantReset()
	for range 3 {
		wantCutOff(t, p)
	}
	p.Heal()
	dial(t, p).ask("after")
	if got := s.sent(); got != "before\nafter\n" {
		t.Errorf("the server was sent %q", got)
	}
}

func TestServerAway(t *testing.T) {
	wantCutOff(t, proxy.Start(t, "127.0.0.1:1"))
}

func TestEndIsPassedOn(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	c := dial(t, p)
	c.ask("hello")
	_ = c.conn.CloseWrite()
	if n, err := c.conn.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // exactly what the other side sees
		t.Errorf("read %d bytes and %v, want the end", n, err)
	}
}

func TestDelay(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	c := dial(t, p)
	const delay = 50 * time.Millisecond
	p.Delay(delay)
	began := time.Now()
	c.ask("held back")
	if took := time.Since(began); took < delay {
		t.Errorf("answered after %v, want at least %v", took, delay)
	}

	p.Delay(time.Hour)
	c.say("healed\n")
	s.waitFor("healed") // The request is not held back.
	c.wantSilence()
	p.Heal()
	c.hear("healed\n")

	p.Delay(time.Hour)
	c.say("cut\n")
	s.waitFor("cut")
	p.Cut()
	c.wantReset()
}

func TestCutAfterSending(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	a, b, other := dial(t, p), dial(t, p), dial(t, p)
	a.ask("read 1")
	lost := p.CutAfterSending(2, "write")

	a.say("write 1\n")
	a.wantReset()
	other.ask("read 2")
	select {
	case <-lost:
		t.Error("said to be done after one of two")
	default:
	}

	b.say("an early part, then wri")
	s.waitFor("then wri") // So the proxy gets the marker in two pieces.
	b.say("te 2, and a late part\n")
	b.wantReset()
	wait(t, lost)

	other.ask("write 3")
	for _, line := range []string{"write 1\n", "write 2, and a late part\n", "write 3\n"} {
		if !strings.Contains(s.sent(), line) {
			t.Errorf("the server was not sent %q", line)
		}
	}
}

func TestCutAfterSendingEveryRequest(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	wait(t, p.CutAfterSending(0, ""))
	lost := p.CutAfterSending(2, "")
	for i := range 2 {
		c := dial(t, p)
		c.say(fmt.Sprintf("request %d", i))
		s.waitFor(fmt.Sprintf("request %d", i))
		c.say("\n") // The rest of a request is no request.
		c.wantReset()
	}
	wait(t, lost)
	dial(t, p).ask("request 3")
}

// Orders for different markers stand side by side, and Heal takes back what has not been met.
func TestCutAfterSendingTwoMarkers(t *testing.T) {
	p := proxy.Start(t, startServer(t).addr())
	inserts, updates := p.CutAfterSending(1, "insert"), p.CutAfterSending(2, "update")
	a, b, c := dial(t, p), dial(t, p), dial(t, p)
	a.say("update 1\n")
	a.wantReset()
	b.say("insert\n")
	b.wantReset()
	wait(t, inserts)
	p.Heal()
	c.ask("update 2")
	select {
	case <-updates:
		t.Error("said to be done after one of two")
	default:
	}
}

// A client that loses patience before the answer is lost has lost it all the same.
func TestCutAfterSendingClientGone(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	lost := p.CutAfterSending(1, "half")
	c := dial(t, p)
	c.say("half a line")
	s.waitFor("half a line")
	_ = c.conn.Close()
	wait(t, lost)
}

func TestBlackHole(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	old, patient := dial(t, p), dial(t, p)
	old.ask("before")
	patient.ask("beside")
	p.BlackHole()
	late := dial(t, p)
	waitForConnections(t, p, 3) // One that is accepted when the hole has closed is in none.
	for _, c := range []*client{old, late} {
		c.say("swallowed\n")
		c.wantSilence()
	}
	_ = old.conn.Close()
	p.Heal()
	patient.wantReset()
	late.wantReset()
	s.wait("its old clients end", func(_ string, ended int) bool { return ended == 2 })
	dial(t, p).ask("after")
	if got := s.sent(); got != "before\nbeside\nafter\n" {
		t.Errorf("the server was sent %q", got)
	}
}

// What was asked before the hole opened is done, and its answer lost without a word.
func TestBlackHoleSwallowsAnswers(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	c := dial(t, p)
	p.Delay(time.Hour)
	c.say("done\n")
	s.waitFor("done")
	p.BlackHole()
	p.Delay(0)
	c.wantSilence()
}

func TestHalfClose(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	c := dial(t, p)
	c.ask("before")
	p.HalfClose()
	s.wait("its client end", func(_ string, ended int) bool { return ended == 1 })
	c.say("into the void\n")
	c.wantSilence()
	dial(t, p).ask("beside")
	if got := s.sent(); got != "before\nbeside\n" {
		t.Errorf("the server was sent %q", got)
	}
	p.Heal()
	c.wantReset()
}

// Whatever is done to it meanwhile, the proxy ends with its test and leaves nothing behind: goleak looks.
func TestEverythingAtOnce(t *testing.T) {
	s := startServer(t)
	p := proxy.Start(t, s.addr())
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 50 {
				c, err := tryDial(t, p)
				if err != nil {
					continue
				}
				_ = c.conn.SetDeadline(time.Now().Add(20 * time.Millisecond))
				_, _ = c.conn.Write([]byte("hello\n"))
				_, _ = c.conn.Read(make([]byte, 16))
				_ = c.conn.Close()
			}
		})
	}
	for range 100 {
		p.CutAfterSending(1, "hello")
		p.Delay(time.Millisecond)
		p.HalfClose()
		p.BlackHole()
		p.Cut()
		p.Heal()
	}
	clients.Wait()
	p.Heal()
	dial(t, p).ask("whole")
}

// waitForConnections waits until the proxy has taken so many connections.
func waitForConnections(tb testing.TB, p *proxy.Proxy, n int) {
	tb.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for p.Connections() != n {
		select {
		case <-again.C:
		case <-limit:
			tb.Fatalf("%d connections, want %d", p.Connections(), n)
		}
	}
}

// wait waits for a channel to be closed.
func wait(tb testing.TB, done <-chan struct{}) {
	tb.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		tb.Fatal("the answers are not lost")
	}
}
