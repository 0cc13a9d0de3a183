package ratelimit_test

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/internal/interfaces/httpapi/ratelimit"
)

// clock is a time that a test sets.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func TestAllowance(t *testing.T) {
	c := newClock()
	l := ratelimit.New(ratelimit.Config{Requests: 10, Period: time.Second, Burst: 3, Now: c.Now})
	for i, step := range []struct {
		pass time.Duration
		want ratelimit.Decision
	}{
		{0, ratelimit.Decision{Allowed: true, Remaining: 2, Reset: 100 * time.Millisecond}},
		{0, ratelimit.Decision{Allowed: true, Remaining: 1, Reset: 200 * time.Millisecond}},
		{0, ratelimit.Decision{Allowed: true, Remaining: 0, Reset: 300 * time.Millisecond}},
		{0, ratelimit.Decision{Reset: 100 * time.Millisecond}},
		{99 * time.Millisecond, ratelimit.Decision{Reset: time.Millisecond}},
		{time.Millisecond, ratelimit.Decision{Allowed: true, Remaining: 0, Reset: 300 * time.Millisecond}},
		{0, ratelimit.Decision{Reset: 100 * time.Millisecond}}, // what is refused takes nothing
		{250 * time.Millisecond, ratelimit.Decision{Allowed: true, Remaining: 1, Reset: 150 * time.Millisecond}},
		{time.Hour, ratelimit.Decision{Allowed: true, Remaining: 2, Reset: 100 * time.Millisecond}}, // no more than the burst
		{-time.Hour, ratelimit.Decision{Reset: time.Hour - 100*time.Millisecond}},                   // the clock was set back
	} {
		c.pass(step.pass)
		if got := l.Named("ana"); got != step.want {
			t.Errorf("step %d: %+v, want %+v", i, got, step.want)
		}
	}
}

// TestRate sends as much as it can for a minute: the rate is kept to, whatever the numbers.
func TestRate(t *testing.T) {
	for _, config := range []ratelimit.Config{
		{Requests: 1, Period: time.Second, Burst: 1},
		{Requests: 100, Period: time.Second, Burst: 200},
		{Requests: 90, Period: time.Minute, Burst: 5},
		{Requests: 3600, Period: time.Hour, Burst: 1},
	} {
		c := newClock()
		config.Now = c.Now
		l := ratelimit.New(config)
		allowed := 0
		for range 6000 {
			for l.Named("ana").Allowed {
				allowed++
			}
			c.pass(10 * time.Millisecond)
		}
		want := config.Burst + int(time.Minute*time.Duration(config.Requests)/config.Period)
		if allowed < want-1 || allowed > want {
			t.Errorf("%+v: %d in a minute, want %d", config, allowed, want)
		}
	}
}

func TestCallersAreApart(t *testing.T) {
	c := newClock()
	l := ratelimit.New(ratelimit.Config{Requests: 1, Period: time.Second, Burst: 1, Now: c.Now})
	network := netip.MustParsePrefix("192.0.2.1/32")
	for _, decide := range []func() ratelimit.Decision{
		func() ratelimit.Decision { return l.Named("ana") },
		func() ratelimit.Decision { return l.Named("ben") },
		func() ratelimit.Decision { return l.Named("192.0.2.1/32") }, // a name that looks like a network is none
		func() ratelimit.Decision { return l.Unnamed(network) },
		func() ratelimit.Decision { return l.Unnamed(netip.Prefix{}) },
	} {
		if first, second := decide(), decide(); !first.Allowed || second.Allowed {
			t.Errorf("%+v, then %+v", first, second)
		}
	}
}

// TestFlood has more callers come than are kept: what is known of the others stays, and memory is bounded.
func TestFlood(t *testing.T) {
	c := newClock()
	const most = 6400
	l := ratelimit.New(ratelimit.Config{Requests: 10, Period: time.Minute, Burst: 10, MaxCallers: most, Now: c.Now})
	used := 0
	for l.Named("ana").Allowed {
		used++
	}
	if used != 10 {
		t.Fatalf("%d requests were allowed at once", used)
	}
	allowed := 0
	for i := range 20 * most {
		if l.Named(fmt.Sprint("flood ", i)).Allowed {
			allowed++
		}
		if l.Named("ana").Allowed {
			t.Fatal("a flood of others gave a caller more than its share")
		}
	}
	if got := l.Known(); got > most {
		t.Errorf("%d callers are kept, want at most %d", got, most)
	}
	if bound := most + 64*10; allowed > bound { // one for each who is kept, and what each part shares
		t.Errorf("%d requests of the flood were allowed, want at most %d", allowed, bound)
	}
	for i := range 100 {
		if d := l.Unnamed(netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)); !d.Allowed {
			t.Fatal("those without a name pay for a flood of names")
		}
	}
	c.pass(time.Minute) // every allowance is full: the next who come find room
	for i := range 1000 {
		if !l.Named(fmt.Sprint("new ", i)).Allowed {
			t.Fatal("there is still no room")
		}
	}
	if got := l.Known(); got > most {
		t.Errorf("%d callers are kept, want at most %d", got, most)
	}
}

func TestConcurrentCallers(t *testing.T) {
	c := newClock()
	l := ratelimit.New(ratelimit.Config{Requests: 1, Period: time.Hour, Burst: 100, Now: c.Now})
	var allowed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if l.Named("ana").Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if allowed.Load() != 100 {
		t.Errorf("%d were allowed, want 100", allowed.Load())
	}
}

// FuzzKeys has callers of all names and addresses: each has its own allowance and gets it whole.
func FuzzKeys(f *testing.F) {
	f.Add("ana", "ben", []byte{192, 0, 2, 1})
	f.Add("", "\x00", []byte("0123456789abcdef"))
	f.Fuzz(func(t *testing.T, one, other string, address []byte) {
		l := ratelimit.New(ratelimit.Config{Requests: 1, Period: time.Hour, Burst: 2, Now: newClock().Now})
		for range 2 {
			if !l.Named(one).Allowed {
				t.Fatalf("%q does not get what it may", one)
			}
		}
		if l.Named(one).Allowed {
			t.Errorf("%q gets more than it may", one)
		}
		if one != other && !l.Named(other).Allowed {
			t.Errorf("%q pays for %q", other, one)
		}
		a, ok := netip.AddrFromSlice(address)
		network := netip.PrefixFrom(a, a.BitLen())
		if !l.Unnamed(network).Allowed {
			t.Errorf("%v pays for %q (an address: %v)", network, one, ok)
		}
	})
}
