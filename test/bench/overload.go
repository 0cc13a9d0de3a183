package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// overloaded is a service that is asked for too much.
type overloaded struct {
	*bench

	where   string // its orders are
	folder  string // its data
	service *child
	admin   string // its admin address
	ids     []orderID
}

// start starts the service.
func (o *overloaded) start(ctx context.Context, settings ...string) (err error) {
	if o.admin, err = freeAddress(ctx); err != nil {
		return err
	}
	c, err := o.serviceWithAdmin(ctx, o.folder, o.admin, settings...)
	if err != nil {
		return err
	}
	o.service = c
	return nil
}

// overloadLasts is how long too much is asked for, and how long it is looked at what comes after.
func (o *options) overloadLasts() time.Duration { return 5 * o.round }

// mixedScripts place three orders, a few of them large, and then read one.
func mixedScripts(ids []orderID) func(conn int) script {
	posts, gets := postScripts(), getScripts(ids)
	large := newRequest("POST", "/orders", string(appendLines(nil, 1, overloadLines, "C-1", "R-1")))
	return func(conn int) script {
		post, get, n := posts(conn), gets(conn), conn
		return func() []byte {
			n++
			switch {
			case n%16 == 1:
				return large
			case n%4 == 0:
				return get()
			default:
				return post()
			}
		}
	}
}

// round finds the capacity, offers more, looks at what comes after, and finds the capacity again, which drifts on a machine in use. It
// returns the figures of overloadRows.
func (o *overloaded) round(ctx context.Context) ([]float64, error) {
	script := mixedScripts(o.ids)
	before, err := o.capacity(ctx, script)
	if err != nil {
		return nil, err
	}
	rate := slices.Max(before)
	usual := stage{normalShare * rate, o.overloadLasts()}
	normally, err := openLoad{conns: normalConns, stages: []stage{usual}, script: script, good: overloadGood}.run(ctx, o.service.addr)
	if err != nil {
		return nil, err
	}
	normal := normally[0]
	var all []seen
	for _, c := range crowds() {
		o.settle(ctx)
		o.sayf("five times as much on %s connections", grouped(c.most))
		s, err := o.watch(ctx, openLoad{
			conns: c.most, stages: []stage{{overloadTimes * rate, o.overloadLasts()}, usual}, script: script, good: overloadGood,
		})
		if err != nil {
			return nil, fmt.Errorf("%d connections: %w", c.most, err)
		}
		s.recovery = s.outcomes[1].calmAfter(normal)
		all = append(all, s)
	}
	after, err := o.capacity(ctx, script)
	if err != nil {
		return nil, err
	}
	peak := 0.0
	for i := range before {
		peak = max(peak, (before[i]+after[i])/2)
	}
	o.note("capacity "+o.where, perSecond(peak))
	o.note("normally "+o.where, normal.String())
	var values []float64
	var worst seen
	for i, c := range crowds() {
		much, later := all[i].outcomes[0], all[i].outcomes[1]
		share := much.goodput() / peak
		what := fmt.Sprintf("five times as much %s, %s connections", o.where, grouped(c.most))
		o.note(what, fmt.Sprintf("%.2f of the capacity: %v; resident memory %d MB", share, much, all[i].memory/1e6))
		o.note("after "+what, fmt.Sprintf("normal within %s: %v", all[i].recovery, later))
		worst.memory = max(worst.memory, all[i].memory)
		if c.name != "" {
			values = append(values, share)
			worst.add(all[i])
		}
	}
	values = append(values, float64(worst.memory)/1e6, worst.recovery.Seconds(),
		inMillis(percentile(worst.live, 0.99)), inMillis(percentile(worst.admin, 0.99)))
	o.sayf("goodput, memory, recovery, health, admin: %.2f", values)
	return values, nil
}

// overHTTP2 offers too much on HTTP/2, for information.
func (o *overloaded) overHTTP2(ctx context.Context, settings ...string) error {
	if err := o.service.stop(); err != nil {
		return err
	}
	secure, err := o.certificate()
	if err != nil {
		return err
	}
	if err := o.start(ctx, append(settings, secure...)...); err != nil {
		return err
	}
	script := mixedScripts(o.ids)
	l := load{conns: capacityLevels()[1], busy: true, script: script, check: checkOrder, dial: new(overHTTP2).dial}
	s, err := l.run(ctx, o.service.addr, o.bench.round)
	if err != nil {
		return err
	}
	outcomes, err := openLoad{
		conns: streams, stages: []stage{{overloadTimes * s.rate(), o.overloadLasts()}}, script: script, good: overloadGood,
		dial: new(overHTTP2).dial,
	}.run(ctx, o.service.addr)
	if err != nil {
		return err
	}
	o.note("five times as much over HTTP/2 "+o.where, fmt.Sprintf("%.2f of the capacity of %s: %v",
		outcomes[0].goodput()/s.rate(), perSecond(s.rate()), outcomes[0]))
	return nil
}

// note says something at once, and keeps it for the report.
func (o *overloaded) note(what, figure string) {
	o.sayf("%s: %s", what, figure)
	o.report.note(what, figure)
}

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// capacity returns how much is done in a second at each level, each connection asking anew when it is answered.
func (o *overloaded) capacity(ctx context.Context, script func(conn int) script) ([]float64, error) {
	var rates []float64
	for _, conns := range capacityLevels() {
		o.settle(ctx)
		l := load{conns: conns, busy: true, script: script, check: checkOrder}
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
	outcomes    []*outcome
	live, admin []time.Duration // how long health took to answer, in order of length
	memory      int             // at its most, in bytes
	recovery    time.Duration
}

// add adds what was seen under another load: the worst counts.
func (s *seen) add(other seen) {
	for _, health := range [][2]*[]time.Duration{{&s.live, &other.live}, {&s.admin, &other.admin}} {
		if percentile(*health[1], 0.99) > percentile(*health[0], 0.99) {
			*health[0] = *health[1]
		}
	}
	s.recovery = max(s.recovery, other.recovery)
}

// watch offers a load, and looks at the service meanwhile.
func (o *overloaded) watch(ctx context.Context, l openLoad) (s seen, err error) {
	live := probe(ctx, o.service.addr, livePath, overloadPause)
	admin := probe(ctx, o.admin, "/health", overloadPause)
	memory := watchMemory(o.service)
	s.outcomes, err = l.run(ctx, o.service.addr)
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
