package mongo

import (
	"errors"
	"testing"
	"time"
)

// TestFailedWritesAreNotObserved: a call that was not answered has written nothing that is known.
func TestFailedWritesAreNotObserved(t *testing.T) {
	seen := 0
	s := &Store{observe: func(string, int, time.Duration) { seen++ }}
	s.observed(opInsert, 1)(errors.New("away"))
	if seen != 0 {
		t.Errorf("a call that failed is observed %d times", seen)
	}
	s.observed(opInsert, 1)(nil)
	if seen != 1 {
		t.Errorf("a call is observed %d times", seen)
	}
	new(Store).observed(opInsert, 1)(nil) // nobody is told
}

// TestQueueDepthCountsWhatWaits has calls of Create wait that nobody serves.
func TestQueueDepthCountsWhatWaits(t *testing.T) {
	s := &Store{inserts: &gatherer[*insertion]{queue: make(chan *asked[*insertion], maxWaiting)}}
	for range 3 {
		s.inserts.queue <- new(asked[*insertion])
	}
	if depth := s.QueueDepth(); depth != 3 {
		t.Errorf("%d wait, want 3", depth)
	}
}
