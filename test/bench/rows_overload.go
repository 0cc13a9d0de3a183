package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Of the run with too many requests.
const (
	overloadTimes  = 5                     // the capacity
	overloadGood   = time.Second           // the latest that an answer is good
	overloadPause  = 20 * time.Millisecond // between two looks at health
	overloadOrders = 5_000                 // to be read
	overloadRounds = 3
	overloadLines  = 100 // of a large order, which net/http does not read by itself before it answers
	overloadMemory = 512 // MB
	overloadHealth = 250 // ms
	normalConns    = 256
	normalShare    = 0.4 // of the capacity
	streams        = 3_200
)

// capacityLevels are the numbers of connections at which the capacity is looked for.
func capacityLevels() []int { return []int{64, 256, 512} }

// crowd is clients that come all at once.
type crowd struct {
	most int    // connections
	name string // of the row; "" for information
	what string
}

// crowds open as many connections as they may, all at once. The last one is nearly as large as MAX_CONNECTIONS allows: to refuse each once is
// more than a second's work.
func crowds() []crowd {
	return []crowd{
		{2_000, "goodput", "goodput at five times the capacity vs the capacity, 2,000 connections, "},
		{4_000, "goodput-4000", "the same with 4,000 connections, "},
		{most: 8_000},
	}
}

// Names of the rows: what is measured, on what.
const (
	overloadEmbedded = "overload"
	overloadOnMongo  = "overload-mongo"
	onEmbedded       = "on the embedded store"
	onMongoDB        = "on MongoDB"
)

// overloadRows is what is held against a limit, in the order of an overloaded's figures.
func overloadRows(group, where string) []row {
	var rows []row
	for _, c := range crowds() {
		if c.name == "" {
			continue
		}
		rows = append(rows, row{name: group + "-" + c.name, limit: limit{value: 0.8, atLeast: true}, what: c.what + where})
	}
	most := func(name string, value float64, unit, what string) {
		rows = append(rows, row{name: group + "-" + name, limit: limit{value: value, unit: unit}, what: what})
	}
	most("memory", overloadMemory, "MB", "resident memory meanwhile, at its most, with 8,000 connections too")
	most("recovery", 5, "s", "from its end to the end of the first second whose p99 is normal")
	most("live", overloadHealth, "ms", "p99 of `/health/live` meanwhile, on a new connection each time")
	most("admin", overloadHealth, "ms", "the same of `/health` at the admin address")
	return rows
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

func (b *bench) measureOverload(ctx context.Context) error {
	return b.overload(ctx, overloadEmbedded, onEmbedded, func(context.Context) ([]string, func() error, error) {
		return alone(), func() error { return nil }, nil
	})
}

func (b *bench) measureOverloadOnMongo(ctx context.Context) error {
	if b.mongo == "" {
		return absentError("there is no server of MongoDB; name one with -mongo")
	}
	return b.overload(ctx, overloadOnMongo, onMongoDB, func(ctx context.Context) ([]string, func() error, error) {
		m, drop, err := b.openMongo(ctx)
		if err != nil {
			return nil, nil, err
		}
		return m.settings, drop, nil
	})
}

// overload measures a service with the settings that open returns, in each round a new one with a new store: the store would grow by
// half a million orders.
func (b *bench) overload(ctx context.Context, group, where string, open func(context.Context) (settings []string, drop func() error, err error)) error {
	names := overloadNames(group)
	found := make([]figures, len(names))
	rounds := min(b.rounds, overloadRounds)
	for n := range rounds {
		values, err := b.overloadRound(ctx, group, where, n == rounds-1, open)
		if err != nil {
			return fmt.Errorf("round %d: %w", n+1, err)
		}
		for i, value := range values {
			found[i] = append(found[i], value)
		}
	}
	for i, name := range names {
		b.report.set(name, found[i])
	}
	return nil
}

// overloadRound is one round; the last one goes on over HTTP/2.
func (b *bench) overloadRound(
	ctx context.Context, group, where string, last bool, open func(context.Context) ([]string, func() error, error),
) (_ []float64, err error) {
	settings, drop, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	// All connections come from one address, which stands for many.
	settings = append(settings, "MAX_CONNECTIONS_PER_ADDRESS=0")
	o := overloaded{bench: b, where: where, folder: b.path(group)}
	if err := o.start(ctx, settings...); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.service.stop()) }()
	if o.ids, _, err = b.fill(ctx, o.service, overloadOrders); err != nil {
		return nil, err
	}
	values, err := o.round(ctx)
	if err == nil && last {
		err = o.overHTTP2(ctx, settings...)
	}
	return values, err
}

// describeOverload says how the run was made.
func (o *options) describeOverload() []string {
	return []string{
		fmt.Sprintf("Three of four requests place an order, one reads one; every sixteenth request places one of %d lines, some 6 KB.", overloadLines),
		fmt.Sprintf("Capacity: what connections get done that ask anew as soon as they are answered; %v connections for %s each, before and "+
			"after the rest of a round. The number of connections counts that does best.", capacityLevels(), o.round),
		fmt.Sprintf("Then requests come by schedule, five times as many a second, for %s, whether those before them are answered or "+
			"not, each on a connection that is free, or else a new one, up to the number said. One that finds none counts as offered, is not sent and "+
			"is lost. Good is an answer of success within %s of the scheduled time. The clients heed no Retry-After.", o.overloadLasts(), overloadGood),
		fmt.Sprintf("Normal is %.0f %% of the capacity, by schedule: before, on %d connections, and after the end, at once, on all the connections "+
			"that there were, each in its turn. A second is normal again whose p99 is at most twice that of the worst second before, and in which nine "+
			"tenths as many answers are good, if the next one is, too. Recovery and health are the worst of the numbers of connections that have an aim.", 100*normalShare, normalConns),
		fmt.Sprintf("Over HTTP/2: the same on TLS, with %d requests at a time on each of %d connections, once.", streamsPerConnection, streams/streamsPerConnection),
		fmt.Sprintf("%d rounds, each with a new service and a new store; measured is their median. The service has its default settings (LOG_LEVEL %s, its log in a file), but "+
			"tells nobody (EVENTS and MANIFESTS are none), and MAX_CONNECTIONS_PER_ADDRESS is 0, as all come from one. Health is asked each %s. "+
			"Service, load and MongoDB share the processors, so that what the load takes is taken from the service, in the search for the "+
			"capacity as well.", min(o.rounds, overloadRounds), o.logLevel, overloadPause),
	}
}
