// Package ratelimit bounds how many requests each caller makes, in bounded memory.
//
// A caller's allowance fills up at an even rate, to a burst at most; each request takes one. All that is kept of a caller is when
// the allowance will be full again (this is the generic cell rate algorithm), so that nothing is lost by forgetting a caller
// whose allowance is full. Nobody else is ever forgotten: when there is no room for one more, newcomers share one allowance until
// there is. A flood of callers that were never seen can slow down those who come new, and nobody who is known.
package ratelimit

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Config says how much each caller may do. Requests, Period and Burst must be more than 0.
type Config struct {
	Requests int           // in each Period
	Period   time.Duration //
	Burst    int           // how many at once after a pause
	// MaxCallers is how many callers are known at once, of those with a name and, for themselves, of those with none; 0 for
	// DefaultMaxCallers. Each takes about 64 bytes.
	MaxCallers int
	Now        func() time.Time // nil for the clock
}

// DefaultMaxCallers takes about 8 MiB, for both kinds.
const DefaultMaxCallers = 1 << 16

// shards is how many parts the callers are in, each with a lock of its own.
const shards = 64

// Limiter counts. It is safe for concurrent use.
type Limiter struct {
	interval time.Duration // in which one request's worth comes back
	full     time.Duration // in which everything does
	burst    int
	now      func() time.Time
	began    time.Time
	seed     maphash.Seed
	named    [shards]shard
	unnamed  [shards]shard
}

// Decision is what became of a request.
type Decision struct {
	Allowed   bool
	Remaining int           // how many more requests could come now
	Reset     time.Duration // when the allowance is full again; when the request was refused, when another one may come
}

// New makes a limiter.
func New(c Config) *Limiter {
	if c.MaxCallers == 0 {
		c.MaxCallers = DefaultMaxCallers
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	interval := max(c.Period/time.Duration(c.Requests), 1)
	l := &Limiter{
		interval: interval, full: interval * time.Duration(c.Burst), burst: c.Burst, now: c.Now, began: c.Now(), seed: maphash.MakeSeed(),
	}
	for i := range shards {
		for _, s := range []*shard{&l.named[i], &l.unnamed[i]} {
			s.until, s.most = make(map[uint64]time.Duration), max(c.MaxCallers/shards, 1)
		}
	}
	return l
}

// Burst is how many requests may come at once, and how long it then takes until all of them may come again.
func (l *Limiter) Burst() (requests int, refill time.Duration) { return l.burst, l.full }

// Named counts a request of a caller whose name is known for true.
func (l *Limiter) Named(name string) Decision {
	return l.take(&l.named, maphash.String(l.seed, name))
}

// Unnamed counts a request of somebody in a network. The zero network is one as well.
func (l *Limiter) Unnamed(network netip.Prefix) Decision {
	return l.take(&l.unnamed, maphash.Comparable(l.seed, network))
}

// take takes one request's worth from an allowance.
func (l *Limiter) take(of *[shards]shard, key uint64) Decision {
	s := &of[key%shards]
	now := l.now().Sub(l.began)
	s.mu.Lock()
	defer s.mu.Unlock()
	until, keep := s.find(key, now)
	until = max(until, now)
	if wait := until + l.interval - l.full - now; wait > 0 {
		return Decision{Reset: wait}
	}
	until += l.interval
	keep(until)
	return Decision{Allowed: true, Remaining: int((l.full - (until - now)) / l.interval), Reset: until - now}
}

// shard is some of the callers.
type shard struct {
	mu     sync.Mutex
	until  map[uint64]time.Duration // when the caller's allowance is full, since the limiter began; at most `most` of them
	most   int
	shared time.Duration // the same for those for whom there is no room
	look   time.Duration // before this no allowance becomes full
}

// find returns when a caller's allowance is full, and how to keep a later time.
func (s *shard) find(key uint64, now time.Duration) (time.Duration, func(time.Duration)) {
	until, known := s.until[key]
	if !known && len(s.until) >= s.most {
		s.forget(now)
	}
	if !known && len(s.until) >= s.most {
		return s.shared, func(until time.Duration) { s.shared = until }
	}
	return until, func(until time.Duration) { s.until[key] = until }
}

// forget forgets the callers whose allowance is full.
func (s *shard) forget(now time.Duration) {
	if now < s.look {
		return
	}
	s.look = now + time.Hour
	for key, until := range s.until {
		if until <= now {
			delete(s.until, key)
		} else {
			s.look = min(s.look, until)
		}
	}
}
