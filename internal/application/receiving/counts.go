package receiving

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Counts is what has become of the messages since the start. A message counts each time that it comes.
type Counts struct {
	Applied  int // changed an order, or were recorded in one
	Repeated int // had been applied before
	Early    int // were ahead of their order, and were left to come again
	Failed   int // could not be applied or set aside for a reason that is not theirs, and were left to come again
	// DeadLettered are those that were set aside, by the code of the reason.
	DeadLettered map[string]int
}

type counts struct {
	Counts

	mu sync.Mutex
}

func (c *counts) add(count func(*Counts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count(&c.Counts)
}

// Counts returns what has become of the messages so far.
func (s *Service) Counts() Counts {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	c := s.counts.Counts
	c.DeadLettered = maps.Clone(c.DeadLettered)
	return c
}

// total is how often messages came.
func (c *Counts) total() int {
	sum := c.Applied + c.Repeated + c.Early + c.Failed
	for _, n := range c.DeadLettered {
		sum += n
	}
	return sum
}

// LogCounts logs the counts at each tick, if they are not those of the line before, and once more when ctx ends. It returns
// then.
func (s *Service) LogCounts(ctx context.Context, ticks <-chan time.Time) {
	for told := 0; ; {
		select {
		case <-ticks:
			if c := s.Counts(); c.total() != told {
				told = c.total()
				s.logCounts(ctx, &c)
			}
		case <-ctx.Done():
			c := s.Counts()
			s.logCounts(ctx, &c)
			return
		}
	}
}

func (s *Service) logCounts(ctx context.Context, c *Counts) {
	var reasons []slog.Attr
	for _, code := range slices.Sorted(maps.Keys(c.DeadLettered)) {
		reasons = append(reasons, slog.Int(code, c.DeadLettered[code]))
	}
	s.Log.LogAttrs(ctx, slog.LevelInfo, "commands",
		slog.Int("applied", c.Applied), slog.Int("repeated", c.Repeated), slog.Int("early", c.Early), slog.Int("failed", c.Failed),
		slog.GroupAttrs("dead_lettered", reasons...))
}
