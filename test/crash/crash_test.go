// Package crash_test kills the program at random moments while it works, and counts what is left.
//
// A child process, which is this test binary started again, runs `orders serve` on a folder. Writers place orders and
// change them, and note what they were promised. Again and again the child is killed without notice, also while it
// starts. Then the promises are counted: every acknowledged order and change is there, once; what was not acknowledged
// is wholly there or not at all; every event was told, in sequence; every manifest is the order.
//
// CRASH_ROUNDS says how often the child is killed, 3 times by default. CRASH_SEED repeats the moments and the requests
// of an earlier run, as far as the machine's own timing allows.
package crash_test

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
)

// childVariable marks the process that is to be killed.
const childVariable = "CRASH_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		m.Run()
		return
	}
	serve()
}

// serve is the child: `orders serve`, which stops in good order when its standard input ends, as it does when its parent
// is gone.
func serve() {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	streams := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	if code := cli.Run(ctx, bootstrap.Commands(), []string{"serve"}, streams); code != cli.ExitOK {
		panic("orders serve ended with exit code " + strconv.Itoa(code))
	}
}

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
	// The child works for some time between these before it is killed.
	shortestWork, longestWork = 20 * time.Millisecond, 900 * time.Millisecond
	// Before one round in so many it is killed while it starts as well, at the latest after the given time.
	earlyRounds, latestEarly = 3, 60 * time.Millisecond
)

func TestCrash(t *testing.T) {
	rounds := int(setting(t, "CRASH_ROUNDS", 3))    //nolint:gosec // a number of rounds
	seed := setting(t, "CRASH_SEED", rand.Uint64()) //nolint:gosec // what is random here is to be repeated
	t.Logf("CRASH_SEED=%d CRASH_ROUNDS=%d", seed, rounds)
	chance := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // as above
	dir := t.TempDir()
	books := make([]*book, writers)
	for i := range books {
		books[i] = newBook(i, rand.New(rand.NewPCG(seed, uint64(i)+1))) //nolint:gosec // as above
	}
	early := 0
	for range rounds {
		if chance.IntN(earlyRounds) == 0 {
			early++
			c := startChild(t, dir)
			wait(time.Duration(chance.Int64N(int64(latestEarly))))
			c.kill(t)
		}
		c := startChild(t, dir)
		c.awaitURL(t)
		var working sync.WaitGroup
		for _, b := range books {
			working.Go(func() { b.work(t, c) })
		}
		wait(shortestWork + time.Duration(chance.Int64N(int64(longestWork-shortestWork))))
		c.kill(t)
		working.Wait()
		if t.Failed() {
			return
		}
	}

	last := startChild(t, dir)
	last.awaitURL(t)
	for _, b := range books {
		b.settle(t, last)
	}
	last.awaitTold(t)
	orders := readOrders(t, last)
	last.stop(t)
	if t.Failed() {
		return
	}
	checkPromises(t, books, orders)
	repeats := checkEvents(t, readTold(t, dir), orders)
	checkManifests(t, dir, orders)
	var n tally
	for _, b := range books {
		n.add(b.tally)
	}
	t.Logf("killed %d times at work and %d times while it started: %d orders, %d changes and %d batches were acknowledged; "+
		"%d requests got no answer and had made %d orders and changes; %d events were told twice",
		rounds, early, n.orders, n.changes, n.batches, n.unanswered, n.doneUnanswered, repeats)
}

// wait lets the child work.
func wait(d time.Duration) { <-time.After(d) }
