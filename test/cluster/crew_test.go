package cluster_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/test/process"
	"order-processing-service/test/promises"
)

const (
	// writers and observers are how many there are in a crew.
	writers, observers = 3, 2
	// writePace and observePace are the least times from one request of one of them to the next, so that the database stays
	// small.
	writePace, observePace = 10 * time.Millisecond, 50 * time.Millisecond
)

// crew works on one process: writers with books, and observers who read and change orders that others do too.
type crew struct {
	number    int
	books     []*promises.Book
	histories []*history
	answered  *atomic.Int64 // of writers

	ended   chan struct{}
	working sync.WaitGroup
}

func newCrew(number int, histories []*history, answered *atomic.Int64) *crew {
	c := &crew{number: number, histories: histories, answered: answered}
	for range writers {
		writer := number*writers + len(c.books)
		chance := rand.New(rand.NewPCG(7, uint64(writer))) //nolint:gosec // small, and repeatable on purpose
		c.books = append(c.books, promises.NewBook(writer, chance))
	}
	return c
}

// work has everybody work until end.
func (c *crew) work(t *testing.T, client promises.Client) {
	t.Helper()
	c.ended = make(chan struct{})
	for _, b := range c.books {
		p := promises.Patient{
			Client: client, Ended: c.ended, Pace: writePace,
			Seen: func(process.Answer, time.Time) { c.answered.Add(1) },
		}
		c.working.Go(func() { b.WorkOn(t, p) })
	}
	for i := range observers {
		caller, h := c.number*observers+i, c.histories[i%len(c.histories)]
		c.working.Go(func() {
			tick := time.NewTicker(observePace)
			defer tick.Stop()
			h.use(t, caller, client, func(int) bool {
				select {
				case <-c.ended:
					return false
				case <-tick.C:
					return true
				}
			})
		})
	}
}

// end has everybody end what is under way, and waits for that.
func (c *crew) end() {
	close(c.ended)
	c.working.Wait()
}
