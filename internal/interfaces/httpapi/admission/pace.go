package admission

import (
	"sync"
	"time"
)

// Pace spreads events that nobody can keep from coming over time: it says how long whoever caused one is to be kept from causing
// the next. It is safe for concurrent use.
type Pace struct {
	Gap     time.Duration // between two events, when those who cause them can be kept so long
	Longest time.Duration // to keep one of them

	mu   sync.Mutex
	next time.Time // when the next one of those who are kept may go on
}

// Next returns for how long to keep who caused the event of now.
func (p *Pace) Next(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(p.Gap)
	if latest := now.Add(p.Longest); p.next.After(latest) {
		p.next = latest
	}
	return p.next.Sub(now)
}
