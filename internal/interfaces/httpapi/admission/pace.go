package admission

import (
	"sync"
	"sync/atomic"
	"time"
)

// Pace keeps what is turned away from costing more than a small part of what is served: of the clients that were turned away, and are
// kept from coming again, it lets one come for so many that are served. It is safe for concurrent use.
type Pace struct {
	Served int // for each one that comes again

	served atomic.Int64 // ever

	mu    sync.Mutex
	spent int64 // of served, for those who came again
	last  struct {
		at     time.Time
		served int64
	}
	gap  time.Duration // between two who come again, lately
	came time.Time     // when the last one could
}

// lately is over how long the gap is measured.
const lately = 100 * time.Millisecond

// recent is how old a measure may be that others are compared with: what was served in a quiet time before does not say what is served now.
const recent = time.Second

// longestGap is for when hardly anybody is served.
const longestGap = time.Second

// Serve counts one who was served.
func (p *Pace) Serve() { p.served.Add(1) }

// Come returns how many of those who are kept may come again now: it is to be called often while somebody is. What was served some time
// before that does not count. One may come each second, even if nobody is served.
func (p *Pace) Come() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	served := p.measure()
	n := (served - p.spent) / int64(p.Served)
	p.spent += n * int64(p.Served)
	now := time.Now()
	if n == 0 && now.Sub(p.came) >= longestGap {
		n = 1
	}
	if n > 0 {
		p.came = now
	}
	return int(n)
}

// measure measures the gap, if that was not done lately, and returns how many were served; mu is held. After a quiet time nothing is known
// at first.
func (p *Pace) measure() (served int64) {
	now, served := time.Now(), p.served.Load()
	passed := now.Sub(p.last.at)
	if passed <= lately {
		return served
	}
	since := served - p.last.served
	if passed < recent {
		p.gap = min(passed*time.Duration(p.Served)/time.Duration(max(since, 1)), longestGap)
	} else {
		p.gap, p.came, since = 0, now, 0
	}
	p.spent = max(p.spent, served-max(since, int64(p.Served)))
	p.last.at, p.last.served = now, served
	return served
}

// Wait returns how long it will be until n of those who are kept have come again, if as many are served as lately.
func (p *Pace) Wait(n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.measure()
	return time.Duration(n) * p.gap
}
