package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// script makes the requests of one connection, one at each call. A request is good until the next call; nil ends the
// connection's work.
type script func() []byte

// load is what a number of connections ask of a server, each the next as soon as it has the answer.
type load struct {
	conns  int
	want   int  // the status of every answer
	busy   bool // any status of success will do, and 503 is no failure but does not count
	script func(conn int) script
	check  func(body []byte) error // of every answer; nil to look at the status alone
	dial   dialer                  // nil for overHTTP1
}

// sample is what a load found.
type sample struct {
	requests int
	took     time.Duration // from the first request to the last answer, or to the end of what the requests set off
	p50, p99 time.Duration
}

// rate is in requests a second.
func (s sample) rate() float64 { return float64(s.requests) / s.took.Seconds() }

// patience is how long after its time a load waits for answers.
const patience = 30 * time.Second

// run asks for d, then waits for the answers under way. Any error or status that is not wanted ends it.
func (l load) run(ctx context.Context, addr string, d time.Duration) (sample, error) {
	dial := l.dial
	if dial == nil {
		dial = overHTTP1
	}
	clients := make([]asker, l.conns)
	defer func() {
		for _, c := range clients {
			if c != nil {
				c.close()
			}
		}
	}()
	for i := range clients {
		c, err := dial(ctx, addr)
		if err != nil {
			return sample{}, err
		}
		clients[i] = c
	}
	var (
		group     sync.WaitGroup
		failed    = make([]error, l.conns)
		latencies = make([][]time.Duration, l.conns)
		started   = time.Now()
		end       = started.Add(d)
	)
	for i, c := range clients {
		if err := c.giveUpAt(end.Add(patience)); err != nil {
			return sample{}, err
		}
		next := l.script(i)
		again := func() (asker, error) { // the connection, or one in its place
			if !clients[i].done() {
				return clients[i], nil
			}
			clients[i].close()
			c, err := dial(ctx, addr)
			if err != nil {
				return nil, err
			}
			clients[i] = c
			return c, c.giveUpAt(end.Add(patience))
		}
		group.Go(func() { latencies[i], failed[i] = l.drive(ctx, again, next, end) })
	}
	group.Wait()
	took := time.Since(started)
	if err := errors.Join(failed...); err != nil {
		return sample{}, fmt.Errorf("load: %w", first(err))
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return sample{requests: len(all), took: took, p50: percentile(all, 0.50), p99: percentile(all, 0.99)}, nil
}

// drive has one connection after the other, as the server closes them, work until end, and returns how long each answer took.
func (l load) drive(ctx context.Context, connect func() (asker, error), next script, end time.Time) ([]time.Duration, error) {
	latencies := make([]time.Duration, 0, 4096)
	for now := time.Now(); now.Before(end); {
		request := next()
		if request == nil {
			break
		}
		c, err := connect()
		if err != nil {
			return nil, err
		}
		status, body, err := c.do(request)
		if err != nil {
			return nil, err
		}
		if l.busy && status == 503 {
			now = time.Now()
			continue
		}
		if status != l.want && (!l.busy || status/100 != 2) {
			return nil, checkStatus(status, l.want, body)
		}
		if l.check != nil {
			if err := l.check(body); err != nil {
				return nil, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		answered := time.Now()
		latencies = append(latencies, answered.Sub(now))
		now = answered
	}
	return latencies, nil
}

// first returns the first of joined errors: hundreds of connections fail alike.
func first(err error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()[0]
	}
	return err
}

// side is one of those that are compared.
type side struct {
	name string
	run  func(ctx context.Context, d time.Duration) (sample, error)
}

// on makes a side of a load on a server.
func on(name, addr string, l load) side {
	return side{name: name, run: func(ctx context.Context, d time.Duration) (sample, error) { return l.run(ctx, addr, d) }}
}

// interleave warms each side up, then measures them in turn, round after round: absolute rates drift on any machine
// while it is in use, and what is compared must have met the same minutes. It returns the samples of each side.
func (b *bench) interleave(ctx context.Context, what string, round time.Duration, sides ...side) ([]samples, error) {
	for _, s := range sides {
		b.settle(ctx)
		if _, err := s.run(ctx, b.warmUp); err != nil {
			return nil, fmt.Errorf("%s: warm up %s: %w", what, s.name, err)
		}
	}
	results := make([]samples, len(sides))
	for n := range b.rounds {
		rates := make([]string, len(sides))
		for i, s := range sides {
			b.settle(ctx)
			found, err := s.run(ctx, round)
			if err == nil && found.requests == 0 {
				err = errors.New("there was nothing left to do")
			}
			if err != nil {
				return nil, fmt.Errorf("%s: round %d: %s: %w", what, n+1, s.name, err)
			}
			results[i] = append(results[i], found)
			rates[i] = s.name + " " + perSecond(found.rate())
		}
		b.sayf("%s, round %d: %s", what, n+1, strings.Join(rates, ", "))
	}
	return results, nil
}

// settle has the disk write what one side has left behind, logs and manifests, so that the next one does not pay for it.
// Where there is no sync program nothing is done.
func (*bench) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = exec.CommandContext(ctx, "sync").Run()
}

// samples are those of one side, in the order of the rounds.
type samples []sample

func (s samples) rates() figures {
	return s.each(sample.rate)
}

func (s samples) p99s() figures {
	return s.each(func(f sample) float64 { return float64(f.p99) })
}

func (s samples) each(value func(sample) float64) figures {
	f := make(figures, len(s))
	for i := range s {
		f[i] = value(s[i])
	}
	return f
}

// String tells the rate with its spread, and how long an answer took.
func (s samples) String() string {
	least, most := s.rates().spread()
	p50 := s.each(func(f sample) float64 { return float64(f.p50) }).median()
	return fmt.Sprintf("%s (%s to %s), p50 %s, p99 %s", perSecond(s.rates().median()), perSecond(least), perSecond(most),
		millis(time.Duration(p50)), millis(time.Duration(s.p99s().median())))
}
