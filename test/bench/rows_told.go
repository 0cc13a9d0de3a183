package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	drainLimit = 2 * time.Minute // until the orders of one round are told
	drainPoll  = 5 * time.Millisecond
)

// measureTold compares placing orders that an event and a manifest are told of with placing orders that nobody is told of.
// A round ends when everything is told.
func (b *bench) measureTold(ctx context.Context) (err error) {
	quiet, err := b.service(ctx, b.path("alone"), alone()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, quiet.stop()) }()
	telling, err := b.service(ctx, b.path("told"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, telling.stop()) }()
	created := 0
	var drains figures
	told := side{name: "told", run: func(ctx context.Context, d time.Duration) (sample, error) {
		found, err := posts(usual).run(ctx, telling.addr, d)
		if err != nil {
			return sample{}, err
		}
		started := time.Now()
		if err := drain(ctx, telling); err != nil {
			return sample{}, err
		}
		drained := time.Since(started)
		created += found.requests
		found.took += drained
		drains = append(drains, drained.Seconds())
		return found, nil
	}}
	found, err := b.interleave(ctx, "told", b.round, on("alone", quiet.addr, posts(usual)), told)
	if err != nil {
		return err
	}
	if err := checkManifests(telling, created); err != nil {
		return err
	}
	b.report.set(rowTold, found[1].rates().over(found[0].rates()))
	b.report.note("orders created, told and kept as manifests, 64 connections, the backlog's draining counted", found[1].String())
	b.report.note("orders created alone, in turns with these", found[0].String())
	b.report.note(fmt.Sprintf("backlog after a round of %s", b.round), fmt.Sprintf("drained in %.2f s", drains[1:].median()))
	return b.noteMemory(telling, "telling")
}

// drain returns when no order waits to be told.
func drain(ctx context.Context, c *child) error {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	request := newRequest("GET", "/deliveries?state=waiting&limit=1", "")
	for {
		body, err := ask(ctx, c.addr, request)
		if err != nil {
			return err
		}
		var page struct {
			Deliveries []json.RawMessage `json:"deliveries"`
			Next       *string           `json:"next_cursor"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return fmt.Errorf("read deliveries: %w", err)
		}
		if len(page.Deliveries) == 0 && page.Next == nil {
			return nil
		}
		if err := pause(ctx, drainPoll); err != nil {
			return fmt.Errorf("wait until all is told: %w", err)
		}
	}
}

// checkManifests sees that the service kept a manifest of each order.
func checkManifests(c *child, created int) error {
	dir, err := os.Open(filepath.Join(c.dataDir, "s3", "orders-manifest"))
	if err != nil {
		return fmt.Errorf("look at the manifests: %w", err)
	}
	defer dir.Close() //nolint:errcheck // only read
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("look at the manifests: %w", err)
	}
	manifests := 0
	for _, name := range names {
		if filepath.Ext(name) == ".json" {
			manifests++
		}
	}
	if manifests != created {
		return fmt.Errorf("%d orders were created but %d manifests kept", created, manifests)
	}
	return nil
}
