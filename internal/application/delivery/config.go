package delivery

import (
	"cmp"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"time"
)

// Config says what a Dispatcher is made of. Store is needed; a zero value elsewhere means the default.
type Config struct {
	// Store keeps the tracks.
	Store Store
	// Subscribers are told of every change. Their names must differ. None: nothing is told.
	Subscribers []Subscriber
	// Owner is the name under which leases are held. It must differ from that of every other
	// dispatcher on the store, earlier ones of this process included. Default: drawn at random.
	Owner string
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Jitter returns numbers from 0 up to but not including 1, and is safe for concurrent use.
	// Default: rand.Float64 of math/rand/v2.
	Jitter func() float64
	// Logger is told what an operator must know, without customers' data. Default: nothing is logged.
	Logger *slog.Logger
	// Lease is how long work is held before other processes may take it; a delivery is cut off a
	// sixth of it before its end. Default: 30 seconds.
	Lease time.Duration
	// PollInterval is how often the store is asked for what nobody handed over: what dead processes
	// left and what is to be tried again. Default: 1 second.
	PollInterval time.Duration
	// MaxAttempts is how many times one event is tried before its track is parked. Default: 10.
	MaxAttempts int
	// BackoffMin is the longest wait after the first failed try; it doubles with each further one.
	// Default: 1 second.
	BackoffMin time.Duration
	// BackoffMax bounds every wait between tries. Default: 5 minutes.
	BackoffMax time.Duration
	// RestMax bounds how long a subscriber that is away as a whole is left alone before it is tried
	// again. The first rest is BackoffMin; it doubles with each call that finds it away still. Never
	// more than BackoffMax. Default: 30 seconds.
	RestMax time.Duration
	// Workers is how many Deliver calls a subscriber gets at the same time. Default: 4.
	Workers int
	// Batch is how many messages a Deliver call gets at most. Default: 10, as many entries as
	// EventBridge and SQS take in a call.
	Batch int
	// Queue is how many orders a subscriber may have in hand: waiting, being told and being settled.
	// What finds no place waits in the store. Default: 2,048.
	Queue int
	// QueueBytes is how much memory the orders and events that a subscriber has in hand may take, in
	// bytes. What goes beyond keeps its place without its content, which is read from the store when
	// its turn comes: each worker may hold 4 MiB and one order on top. What several
	// subscribers hold together counts for each. Default: 32 MiB.
	QueueBytes int
}

// The parts of a lease, as fractions: a delivery that has less than a third of it left is not begun,
// and the last sixth is kept for taking note of how it ended.
const (
	deliverPart = 3
	settlePart  = 6
)

func withDefaults(c Config) Config {
	c.Owner = cmp.Or(c.Owner, rand.Text())
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Jitter == nil {
		c.Jitter = mathrand.Float64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Lease = cmp.Or(c.Lease, 30*time.Second)
	c.PollInterval = cmp.Or(c.PollInterval, time.Second)
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 10)
	c.BackoffMin = cmp.Or(c.BackoffMin, time.Second)
	c.BackoffMax = cmp.Or(c.BackoffMax, 5*time.Minute)
	c.RestMax = min(cmp.Or(c.RestMax, 30*time.Second), c.BackoffMax)
	c.Workers = cmp.Or(c.Workers, 4)
	c.Batch = cmp.Or(c.Batch, 10)
	c.Queue = cmp.Or(c.Queue, 2_048)
	c.QueueBytes = cmp.Or(c.QueueBytes, 32<<20)
	return c
}

// backoff is how long to wait after so many failed tries: half of what doubling gives, plus a random
// part of the other half, so that orders that failed together do not come back together.
func (c *Config) backoff(attempts int) time.Duration { return c.wait(attempts, c.BackoffMax) }

// rest is how long to leave a subscriber alone after so many calls that found it away.
func (c *Config) rest(misses int) time.Duration { return c.wait(misses, c.RestMax) }

func (c *Config) wait(failures int, longest time.Duration) time.Duration {
	wait := c.BackoffMin
	for i := 1; i < failures && wait < longest; i++ {
		wait *= 2
	}
	half := min(wait, longest) / 2
	return half + time.Duration(c.Jitter()*float64(half))
}
