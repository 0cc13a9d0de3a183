package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Of the run with too many requests.
const (
	overloadTimes  = 5                      // the capacity
	overloadConns  = 2_000                  // connections at most
	overloadGood   = time.Second            // the latest that an answer is good
	overloadPause  = 20 * time.Millisecond  // between two looks at health
	overloadWindow = 500 * time.Millisecond // in which latency is looked at after the end
	normalConns    = 256
	normalShare    = 0.5 // of the capacity
	overloadOrders = 5_000
	overloadMemory = 256 // MB
)

// overloadLevels are the numbers of connections at which the capacity is looked for.
func overloadLevels() []int { return []int{64, 256, 512} }

// Names of the rows of a store.
const (
	overloadEmbedded = "overload"
	overloadOnMongo  = "overload-mongo"
	suffixGoodput    = "-goodput"
	suffixMemory     = "-memory"
	suffixRecovery   = "-recovery"
	suffixLive       = "-live"
	suffixAdmin      = "-admin"
)

func overloadNames(group string) []string {
	return []string{group + suffixGoodput, group + suffixMemory, group + suffixRecovery, group + suffixLive, group + suffixAdmin}
}

func overloadRows(group, where string) []row {
	most := func(value float64, unit string) limit { return limit{value: value, unit: unit} }
	n := overloadNames(group)
	return []row{
		{name: n[0], limit: limit{value: 0.8, atLeast: true}, what: "goodput at five times the capacity vs the capacity, " + where},
		{name: n[1], limit: most(overloadMemory, "MB"), what: "resident memory meanwhile, at its most"},
		{name: n[2], limit: most(5, "s"), what: "from its end until p99 stays within twice the normal"},
		{name: n[3], limit: most(250, "ms"), what: "p99 of `/health/live` meanwhile, on a new connection each time"},
		{name: n[4], limit: most(250, "ms"), what: "the same of the admin address"},
	}
}

// mixedScripts place orders, and read one after each three.
func mixedScripts(ids []orderID) func(conn int) script {
	posts, gets := postScripts(), getScripts(ids)
	return func(conn int) script {
		post, get, n := posts(conn), gets(conn), conn
		return func() []byte {
			n++
			if n%4 == 0 {
				return get()
			}
			return post()
		}
	}
}

func (b *bench) measureOverload(ctx context.Context) error {
	return b.overload(ctx, overloadEmbedded, alone()...)
}

func (b *bench) measureOverloadOnMongo(ctx context.Context) (err error) {
	m, drop, err := b.openMongo(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	return b.overload(ctx, overloadOnMongo, m.settings...)
}

// overload measures a service.
func (b *bench) overload(ctx context.Context, group string, settings ...string) (err error) {
	admin, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	c, err := b.service(ctx, b.path(group), append(settings, "ADMIN_ADDR="+admin)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	ids, _, err := b.fill(ctx, c, overloadOrders)
	if err != nil {
		return err
	}
	var found [5]figures
	for range min(b.rounds, 3) {
		r, err := b.overloadRound(ctx, c, admin, ids)
		if err != nil {
			return err
		}
		for i, f := range r {
			found[i] = append(found[i], f)
		}
	}
	for i, name := range overloadNames(group) {
		b.report.set(name, found[i])
	}
	return nil
}

// overloadRound finds the capacity, offers more, and looks at what comes after.
func (b *bench) overloadRound(ctx context.Context, c *child, admin string, ids []orderID) (found [5]float64, err error) {
	peak, err := b.capacity(ctx, c, ids)
	if err != nil {
		return found, err
	}
	normally := openLoad{conns: normalConns, rate: normalShare * peak, script: mixedScripts(ids), good: patience}
	normal, err := normally.run(ctx, c.addr, 2*b.round)
	if err != nil {
		return found, err
	}
	b.sayf("normal: %v", normal)
	wanted := max(2*normal.p99(0, time.Hour), 10*time.Millisecond)

	live, health := probe(ctx, c.addr, livePath, overloadPause), probe(ctx, admin, "/health", overloadPause)
	memory := watchMemory(c)
	much := openLoad{conns: overloadConns, rate: overloadTimes * peak, script: mixedScripts(ids), good: overloadGood}
	t0, _ := c.processor()
	over, err := much.run(ctx, c.addr, 5*b.round)
	t1, _ := c.processor()
	b.sayf("cpu %v, per good request %v", t1-t0, (t1-t0)/time.Duration(len(over.latencies)))
	lives, liveErr := live()
	healths, healthErr := health()
	most, memoryErr := memory()
	if err := errors.Join(err, liveErr, healthErr, memoryErr); err != nil {
		return found, err
	}
	b.sayf("five times as much: %v", over)
	after, err := normally.run(ctx, c.addr, 10*time.Second)
	if err != nil {
		return found, err
	}
	b.sayf("after: %v", after)
	found = [5]float64{
		over.goodput() / peak, float64(most) / 1e6, recovered(after, wanted).Seconds(),
		float64(percentile(lives, 0.99)) / 1e6, float64(percentile(healths, 0.99)) / 1e6,
	}
	b.sayf("goodput %.2f of %s, %v MB, recovered in %v s, live p99 %v ms, admin p99 %v ms (%d, %d looks)",
		found[0], perSecond(peak), found[1], found[2], found[3], found[4], len(lives), len(healths))
	return found, nil
}

// capacity returns the most that the service does in a second, each connection asking anew when it is answered.
func (b *bench) capacity(ctx context.Context, c *child, ids []orderID) (float64, error) {
	best := 0.0
	for _, conns := range overloadLevels() {
		b.settle(ctx)
		l := load{conns: conns, busy: true, script: mixedScripts(ids), check: checkOrder}
		t0, _ := c.processor()
		s, err := l.run(ctx, c.addr, b.round)
		t1, _ := c.processor()
		b.sayf("cpu %v of %v, per request %v", t1-t0, s.took, (t1-t0)/time.Duration(max(1, s.requests)))
		if err != nil {
			return 0, err
		}
		b.sayf("%d connections: %s, p50 %s, p99 %s", conns, perSecond(s.rate()), millis(s.p50), millis(s.p99))
		best = max(best, s.rate())
	}
	return best, nil
}

// recovered returns how long after its start a load's latency was bad for the last time.
func recovered(o *outcome, wanted time.Duration) time.Duration {
	last := time.Duration(0)
	for from := time.Duration(0); from < o.took; from += overloadWindow {
		if o.p99(from, from+overloadWindow) > wanted {
			last = from + overloadWindow
		}
	}
	return last
}

// watchMemory looks at the resident memory until stop is called, which tells its most.
func watchMemory(c *child) (stop func() (int, error)) {
	const pause = 100 * time.Millisecond
	done, ended := make(chan struct{}), make(chan struct{})
	var seen []int
	var failed error
	go func() {
		defer close(ended)
		for failed == nil {
			var n int
			n, failed = c.memory()
			seen = append(seen, n)
			select {
			case <-done:
				return
			case <-time.After(pause):
			}
		}
	}()
	return func() (int, error) {
		close(done)
		<-ended
		return slices.Max(seen), failed
	}
}

// describeOverload says how the run was made.
func (o *options) describeOverload() []string {
	return []string{fmt.Sprint("TODO")}
}

// overloadGroups are the stores.
func overloadGroups() []group {
	return []group{
		{overloadEmbedded, overloadNames(overloadEmbedded), (*bench).measureOverload},
		{overloadOnMongo, overloadNames(overloadOnMongo), (*bench).measureOverloadOnMongo},
	}
}
