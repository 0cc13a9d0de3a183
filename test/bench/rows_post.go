package main

import (
	"context"
	"errors"
	"fmt"
)

// usual is the number of connections where a row does not name one.
const usual = 64

// posts is a load of orders on a service.
func posts(conns int) load {
	return load{conns: conns, want: 201, script: postScripts(), check: checkOrder}
}

// echoes is the same load on a bare server, whose answers have no ids.
func echoes(conns int) load {
	l := posts(conns)
	l.check = nil
	return l
}

// measurePost compares placing orders with a bare server that decodes and echoes them.
func (b *bench) measurePost(ctx context.Context) error {
	for _, level := range []struct {
		row   string
		conns int
	}{{rowPost64, 64}, {rowPost256, 256}} {
		if err := b.postAgainstBare(ctx, level.row, level.conns); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) postAgainstBare(ctx context.Context, row string, conns int) (err error) {
	bare, err := b.bare(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	c, err := b.service(ctx, b.path("post"), alone()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	var acknowledged ledger
	orders := posts(conns)
	orders.check = acknowledged.enter
	found, err := b.interleave(ctx, row, b.round, on("bare", bare.addr, echoes(conns)), on("service", c.addr, orders))
	if err != nil {
		return err
	}
	if err := acknowledged.lookFor(ctx, c.addr); err != nil {
		return err
	}
	b.report.set(row, found[1].rates().over(found[0].rates()))
	what := fmt.Sprintf("`POST /orders`, %d connections", conns)
	b.report.note(what+", service", found[1].String())
	b.report.note(what+", bare", found[0].String())
	return b.noteMemory(c, what)
}

// measurePatch compares changing orders with placing them, on one service.
func (b *bench) measurePatch(ctx context.Context) (err error) {
	c, err := b.service(ctx, b.path("patch"), alone()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	ids, _, err := b.fill(ctx, c, b.changed)
	if err != nil {
		return err
	}
	found, err := b.interleave(ctx, "patch", b.round, on("POST", c.addr, posts(usual)),
		on("PATCH status", c.addr, load{conns: usual, want: 200, script: statusScripts(ids), check: checkOrder}),
		on("PATCH metadata", c.addr, load{conns: usual, want: 200, script: metadataScripts(ids), check: checkOrder}))
	if err != nil {
		return err
	}
	b.report.set(rowPatchStatus, found[1].rates().over(found[0].rates()))
	b.report.set(rowPatchMeta, found[2].rates().over(found[0].rates()))
	b.report.note("`PATCH /orders/{id}` of the status, 64 connections", found[1].String())
	b.report.note("`PATCH /orders/{id}` of the metadata, 64 connections", found[2].String())
	b.report.note("`POST /orders` in turns with these", found[0].String())
	return nil
}
