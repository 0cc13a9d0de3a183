//go:build unix

package cluster_test

import (
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/test/process"
	"order-processing-service/test/promises"
)

// TestSurvives has everybody work on all processes, while one is killed and another stands still for longer than its lease
// and goes on then as if nothing had happened.
func TestSurvives(t *testing.T) {
	c := newCluster(t)
	c.settings["MONGO_TIMEOUT"] = "30s" // what stands still is not to be late as well
	c.start(t)
	doomed, frozen, steady := c.nodes[0], c.nodes[1], c.nodes[2]
	histories := []*history{c.newHistory(t), c.newHistory(t)}
	var answered atomic.Int64
	var crews []*crew
	for i, n := range c.nodes {
		crews = append(crews, newCrew(i, histories, &answered))
		crews[i].work(t, n)
	}
	awaitMore := func() {
		const enough = 300
		from := answered.Load()
		process.Await(t, "answers", func() bool { return answered.Load() >= from+enough })
	}
	awaitMore()

	doomed.Kill(t)
	crews[0].end()
	process.Await(t, "what the killed process asked for to end", func() bool { return doomed.network.Connections() == 0 })
	crews[0].work(t, &spread{nodes: []*node{frozen, steady}}) // they turn to the others
	awaitMore()

	// Who has asked the one that stands still waits for it.
	frozen.Pause(t)
	still := time.Now()
	awaitMore()
	process.Await(t, "its leases to end", func() bool { return time.Since(still) > lease+lease/4 })
	crews[2].end()
	steady.AwaitTold(t) // also of what the one that stands still has in hand
	crews[2].work(t, steady)
	frozen.Continue(t)
	awaitMore()

	var books []*promises.Book
	for _, crew := range crews {
		crew.end()
		for _, b := range crew.books {
			if !b.Settle(t, promises.Patient{Client: frozen}) {
				t.Error("there is no answer")
			}
			books = append(books, b)
		}
	}
	if t.Failed() {
		return
	}
	for _, h := range histories {
		h.check(t)
	}
	shares, repeats := c.check(t, books, len(histories), frozen, steady)
	c.wantShared(t, shares)
	t.Logf("%v; %d and %d calls of two orders; who told how many events: %v; %d were told twice",
		promises.Total(books), len(histories[0].calls), len(histories[1].calls), shares, repeats)
}
