package receiving

import (
	"maps"
	"sync"
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
