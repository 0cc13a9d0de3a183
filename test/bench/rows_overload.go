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
	overloadTimes  = 5                     // the capacity
	overloadConns  = 2_000                 // connections at most
	overloadGood   = time.Second           // the latest that an answer is good
	overloadPause  = 20 * time.Millisecond // between two looks at health
	overloadOrders = 5_000                 // to be read
	overloadRounds = 3
	overloadAfter  = 10 * time.Second
	overloadMemory = 512 // MB
	overloadHealth = 250 // ms
	normalConns    = 256
	normalShare    = 0.4 // of the capacity
)

// overloadLevels are the numbers of connections at which the capacity is looked for.
func overloadLevels() []int { return []int{64, 256, 512} }

// Names of the rows: what is measured, on what.
const (
	overloadEmbedded = "overload"
	overloadOnMongo  = "overload-mongo"
	onEmbedded       = "on the embedded store"
	onMongoDB        = "on MongoDB"
)

// overloadRows is what is held against a limit, in the order of an overloaded's figures.
func overloadRows(group, where string) []row {
	most := func(value float64, unit string) limit { return limit{value: value, unit: unit} }
	return []row{
		{name: group + "-goodput", limit: limit{value: 0.8, atLeast: true}, what: "goodput at five times the capacity vs the capacity, " + where},
		{name: group + "-memory", limit: most(overloadMemory, "MB"), what: "resident memory meanwhile, at its most"},
		{name: group + "-recovery", limit: most(5, "s"), what: "from its end to the first second whose p99 is normal"},
		{name: group + "-live", limit: most(overloadHealth, "ms"), what: "p99 of `/health/live` meanwhile, on a new connection each time"},
		{name: group + "-admin", limit: most(overloadHealth, "ms"), what: "the same of `/health` at the admin address"},
	}
}

func overloadNames(group string) []string {
	var names []string
	for _, r := range overloadRows(group, "") {
		names = append(names, r.name)
	}
	return names
}

// overloadGroups are the stores.
func overloadGroups() []group {
	return []group{
		{overloadEmbedded, overloadNames(overloadEmbedded), (*bench).measureOverload},
		{overloadOnMongo, overloadNames(overloadOnMongo), (*bench).measureOverloadOnMongo},
	}
}

// mixedScripts place three orders, and then read one.
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
	return b.overload(ctx, overloadEmbedded, onEmbedded, alone()...)
}

func (b *bench) measureOverloadOnMongo(ctx context.Context) (err error) {
	if b.mongo == "" {
		return absentError("there is no server of MongoDB; name one with -mongo")
	}
	m, drop, err := b.openMongo(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	return b.overload(ctx, overloadOnMongo, onMongoDB, m.settings...)
}

// overload measures a service with these settings.
func (b *bench) overload(ctx context.Context, group, where string, settings ...string) (err error) {
	admin, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	c, err := b.service(ctx, b.path(group), append(settings, "ADMIN_ADDR="+admin)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	o := overloaded{bench: b, service: c, admin: admin, where: where}
	if o.ids, _, err = b.fill(ctx, c, overloadOrders); err != nil {
		return err
	}
	found := make([]figures, len(overloadNames(group)))
	for n := range min(b.rounds, overloadRounds) {
		values, err := o.round(ctx)
		if err != nil {
			return fmt.Errorf("round %d: %w", n+1, err)
		}
		for i, value := range values {
			found[i] = append(found[i], value)
		}
	}
	for i, name := range overloadNames(group) {
		b.report.set(name, found[i])
	}
	return nil
}

// overloaded is a service that is asked for too much.
type overloaded struct {
	*bench

	service *child
	admin   string // its admin address
	where   string // its orders are
	ids     []orderID
}

// round finds the capacity, offers more, looks at what comes after, and finds the capacity again, which drifts on a machine in use.
func (o overloaded) round(ctx context.Context) ([]float64, error) {
	before, err := o.capacity(ctx)
	if err != nil {
		return nil, err
	}
	normally := openLoad{conns: normalConns, rate: normalShare * slices.Max(before), script: mixedScripts(o.ids), good: overloadGood}
	normal, err := normally.run(ctx, o.service.addr, 2*o.bench.round)
	if err != nil {
		return nil, err
	}
	much := openLoad{conns: overloadConns, rate: overloadTimes * slices.Max(before), script: mixedScripts(o.ids), good: overloadGood}
	seen, err := o.watch(ctx, much)
	if err != nil {
		return nil, err
	}
	later, err := normally.run(ctx, o.service.addr, overloadAfter)
	if err != nil {
		return nil, err
	}
	after, err := o.capacity(ctx)
	if err != nil {
		return nil, err
	}
	peak := 0.0
	for i := range before {
		peak = max(peak, (before[i]+after[i])/2)
	}
	o.sayf("capacity %s; before: %v", perSecond(peak), normal)
	o.sayf("five times as much: %v", seen.outcome)
	o.sayf("after: %v", later)
	o.report.note("capacity "+o.where, perSecond(peak))
	o.report.note("five times as much "+o.where, seen.outcome.String())
	values := []float64{
		seen.outcome.goodput() / peak, float64(seen.memory) / 1e6, later.calmAfter(normal).Seconds(),
		inMillis(percentile(seen.live, 0.99)), inMillis(percentile(seen.admin, 0.99)),
	}
	o.sayf("goodput, memory, recovery, health, admin: %.2f", values)
	return values, nil
}

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// capacity returns how much is done in a second at each level, each connection asking anew when it is answered.
func (o overloaded) capacity(ctx context.Context) ([]float64, error) {
	var rates []float64
	for _, conns := range overloadLevels() {
		o.settle(ctx)
		l := load{conns: conns, busy: true, script: mixedScripts(o.ids), check: checkOrder}
		s, err := l.run(ctx, o.service.addr, o.bench.round)
		if err != nil {
			return nil, err
		}
		rates = append(rates, s.rate())
	}
	return rates, nil
}

// seen is what was seen of a service under too much load.
type seen struct {
	outcome     *outcome
	live, admin []time.Duration // how long health took to answer, in order of length
	memory      int             // at its most, in bytes
}

// watch offers a load, and looks at the service meanwhile.
func (o overloaded) watch(ctx context.Context, l openLoad) (s seen, err error) {
	live := probe(ctx, o.service.addr, livePath, overloadPause)
	admin := probe(ctx, o.admin, "/health", overloadPause)
	memory := watchMemory(o.service)
	s.outcome, err = l.run(ctx, o.service.addr, 5*o.bench.round)
	var failed [3]error
	s.live, failed[0] = live()
	s.admin, failed[1] = admin()
	s.memory, failed[2] = memory()
	return s, errors.Join(append(failed[:], err)...)
}

// watchMemory looks at the resident memory until stop is called, which tells its most.
func watchMemory(c *child) (stop func() (int, error)) {
	const pause = 100 * time.Millisecond
	done, ended := make(chan struct{}), make(chan struct{})
	most := 0
	var failed error
	go func() {
		defer close(ended)
		for failed == nil {
			var n int
			n, failed = c.memory()
			most = max(most, n)
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
		return most, failed
	}
}

// describeOverload says how the run was made.
func (o *options) describeOverload() []string {
	return []string{
		fmt.Sprintf("Capacity: what connections get done that ask anew as soon as they are answered, three times for an order and once "+
			"to read one; %v connections for %s each, before and after the rest of a round. The number of connections counts that "+
			"does best.", overloadLevels(), o.round),
		fmt.Sprintf("Then requests come by schedule, five times as many a second, for %s, whether those before them are answered or "+
			"not, on %s connections. One that finds none free counts as offered and is lost. Good is an answer of success within %s "+
			"of the scheduled time. The clients heed no Retry-After.", 5*o.round, grouped(overloadConns), overloadGood),
		fmt.Sprintf("Normal is %.0f %% of the capacity, by schedule: before, and at once after the end. A second is normal again whose "+
			"p99 is at most twice that of the worst second before.", 100*normalShare),
		fmt.Sprintf("%d rounds; measured is their median. The service has its default settings (LOG_LEVEL %s, its log in a file), but "+
			"tells nobody (EVENTS and MANIFESTS are none). Health is asked each %s. Service, load and MongoDB share the processors, "+
			"so that what the load takes is taken from the service, in the search for the capacity as well.",
			min(o.rounds, overloadRounds), o.logLevel, overloadPause),
	}
}
