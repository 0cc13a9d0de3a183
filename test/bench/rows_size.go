package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// smallWarmUp is how long a fresh copy of the small store is used before it is measured, at most: it must stay small.
const smallWarmUp = 500 * time.Millisecond

// measureSize fills a large and a small store and compares them: pages of lists, reading one order, placing orders.
func (b *bench) measureSize(ctx context.Context) (err error) {
	kept := b.path("small")
	small, err := b.service(ctx, kept, alone()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, small.stop()) }()
	large, err := b.service(ctx, b.path("large"), alone()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, large.stop()) }()
	few, _, err := b.fill(ctx, small, b.small)
	if err != nil {
		return err
	}
	many, took, err := b.fill(ctx, large, b.count)
	if err != nil {
		return err
	}
	b.report.note(fmt.Sprintf("orders placed by `POST /orders/batch` until there are %s, %s at a time, %d connections",
		grouped(b.count), grouped(batchSize), fillers), perSecond(float64(b.count)/took.Seconds()))
	if err := b.noteStore(large); err != nil {
		return err
	}
	if err := b.compareReads(ctx, large, many); err != nil {
		return err
	}
	if err := b.compareLists(ctx, stocked{small, few}, stocked{large, many}); err != nil {
		return err
	}
	if err := small.stop(); err != nil {
		return err
	}
	if err := b.compareGrowth(ctx, kept, large); err != nil {
		return err
	}
	return b.noteMemory(large, "all of this on "+grouped(b.count)+" orders")
}

// stocked is a service with orders in its store.
type stocked struct {
	*child
	ids []orderID
}

// noteStore tells what a full store takes.
func (b *bench) noteStore(c *child) error {
	info, err := os.Stat(filepath.Join(c.dataDir, "orders.db"))
	if err != nil {
		return fmt.Errorf("size of the store: %w", err)
	}
	b.report.note("store file of "+grouped(b.count)+" orders", grouped(int(info.Size()/1e6))+" MB")
	return nil
}

// compareReads reads orders at random, and has a bare server serve the bytes of one of them.
func (b *bench) compareReads(ctx context.Context, large *child, ids []orderID) (err error) {
	content, err := ask(ctx, large.addr, newRequest("GET", "/orders/"+string(ids[0][:]), ""))
	if err != nil {
		return err
	}
	bare, err := b.bare(ctx, content)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	reads := load{conns: usual, want: 200, script: getScripts(ids), check: checkOrder}
	found, err := b.interleave(ctx, "get", b.round, on("bare", bare.addr, reads), on("service", large.addr, reads))
	if err != nil {
		return err
	}
	b.report.set(rowGet, found[1].rates().over(found[0].rates()))
	what := fmt.Sprintf("`GET /orders/{id}` at random, %d connections, %s bytes", usual, grouped(len(content)))
	b.report.note(what+", service", found[1].String())
	b.report.note(what+", bare", found[0].String())
	return nil
}

// compareGrowth places orders in the large store and in fresh copies of the small one, which would grow otherwise.
func (b *bench) compareGrowth(ctx context.Context, kept string, large *child) error {
	fresh := side{name: "small", run: func(ctx context.Context, d time.Duration) (_ sample, err error) {
		data := b.path("copy")
		if err := os.CopyFS(data, os.DirFS(kept)); err != nil {
			return sample{}, fmt.Errorf("copy the small store: %w", err)
		}
		c, err := b.service(ctx, data, alone()...)
		if err != nil {
			return sample{}, err
		}
		defer func() { err = errors.Join(err, c.stop()) }()
		if _, err := posts(usual).run(ctx, c.addr, min(b.warmUp, smallWarmUp)); err != nil {
			return sample{}, err
		}
		return posts(usual).run(ctx, c.addr, d)
	}}
	found, err := b.interleave(ctx, "size", b.round, fresh, on("large", large.addr, posts(usual)))
	if err != nil {
		return err
	}
	b.report.set(rowGrown, found[1].rates().over(found[0].rates()))
	b.report.note("`POST /orders`, 64 connections, at "+grouped(b.small)+" orders", found[0].String())
	b.report.note("`POST /orders`, 64 connections, at "+grouped(b.count)+" orders", found[1].String())
	return nil
}
