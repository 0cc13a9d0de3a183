// Package crash_test kills the program at random moments while it works, and counts what is left.
//
// `orders serve` runs in a process of its own, on each store. Writers place orders and change them, and note what they were
// promised. Again and again the process is killed without notice, also while it starts. Then the promises are counted: see
// package promises.
//
// CRASH_ROUNDS says how often the process is killed, 3 times by default. CRASH_SEED repeats the moments and the requests
// of an earlier run, as far as the machine's own timing allows.
package crash_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"order-processing-service/test/mongodb"
	"order-processing-service/test/process"
	"order-processing-service/test/promises"
)

func TestMain(m *testing.M) { process.Main(m) }

// setting reads a whole number from the environment.
func setting(t *testing.T, name string, absent uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return absent
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q: give a whole number", name, text)
	}
	return n
}

const (
	writers = 8
	// The process works for some time between these before it is killed.
	shortestWork, longestWork = 20 * time.Millisecond, 900 * time.Millisecond
	// Before one round in so many it is killed while it starts as well, at the latest after the given time.
	earlyRounds, latestEarly = 3, 60 * time.Millisecond
)

// place is where the orders of a test are kept.
type place struct {
	settings map[string]string
	// quiet waits until nothing that a killed process has asked for is under way any more.
	quiet func()
}

func TestCrash(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { crash(t, place{quiet: func() {}}) })
	t.Run("mongodb", func(t *testing.T) { crash(t, onMongoDB(t)) })
}

// onMongoDB is a database of a server that lives on: it may do what it was asked for when nobody waits for the answer.
func onMongoDB(t *testing.T) place {
	t.Helper()
	server := mongodb.Need(t)
	network, uri := server.Proxied(t)
	return place{
		settings: map[string]string{"MONGO_URI": uri, "MONGO_DB": server.Database(t).Name()},
		quiet: func() {
			process.Await(t, "the connections to end", func() bool { return network.Connections() == 0 })
		},
	}
}

func crash(t *testing.T, on place) {
	t.Helper()
	rounds := int(setting(t, "CRASH_ROUNDS", 3))    //nolint:gosec // a number of rounds
	seed := setting(t, "CRASH_SEED", rand.Uint64()) //nolint:gosec // what is random here is to be repeated
	t.Logf("CRASH_SEED=%d CRASH_ROUNDS=%d", seed, rounds)
	chance := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // as above
	dir := t.TempDir()
	output := filepath.Join(dir, "output")
	start := func() *process.Process {
		return process.Start(t, process.Config{Dir: dir, Output: output, Settings: on.settings})
	}
	books := make([]*promises.Book, writers)
	for i := range books {
		books[i] = promises.NewBook(i, rand.New(rand.NewPCG(seed, uint64(i)+1))) //nolint:gosec // as above
	}
	early := 0
	for range rounds {
		if chance.IntN(earlyRounds) == 0 {
			early++
			p := start()
			wait(time.Duration(chance.Int64N(int64(latestEarly))))
			p.Kill(t)
		}
		p := start()
		p.AwaitURL(t)
		var working sync.WaitGroup
		for _, b := range books {
			working.Go(func() { b.Work(t, p) })
		}
		wait(shortestWork + time.Duration(chance.Int64N(int64(longestWork-shortestWork))))
		p.Kill(t)
		working.Wait()
		on.quiet()
		if t.Failed() {
			return
		}
	}

	last := start()
	last.AwaitURL(t)
	for _, b := range books {
		b.Settle(t, last)
	}
	last.AwaitTold(t)
	orders := promises.ReadOrders(t, last)
	last.Stop(t)
	if t.Failed() {
		return
	}
	promises.CheckCalm(t, output)
	promises.CheckPromises(t, books, orders, 0)
	repeats := promises.CheckEvents(t, promises.ReadTold(t, output), orders)
	promises.CheckManifests(t, orders, filepath.Join(dir, "data"))
	t.Logf("killed %d times at work and %d times while it started: %v; %d events were told twice",
		rounds, early, promises.Total(books), repeats)
}

// wait lets the process work.
func wait(d time.Duration) { <-time.After(d) }
