package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// alone are the settings of a service that tells nobody.
func alone() []string { return []string{"EVENTS=none", "MANIFESTS=none"} }

// measureStart times starts, the first of them on a folder that is not there yet, and looks at the memory of a service
// that has done nothing. Its settings are the defaults.
func (b *bench) measureStart(ctx context.Context) error {
	var times, memories figures
	data := b.path("start")
	for range b.starts {
		took, memory, err := b.startOnce(ctx, data)
		if err != nil {
			return err
		}
		times = append(times, float64(took)/float64(time.Millisecond))
		memories = append(memories, float64(memory)/1e6)
	}
	b.sayf("start: %.1f ms, then idle in %.1f MB", times, memories)
	b.report.set(rowStart, times)
	b.report.set(rowMemory, memories)
	return nil
}

func (b *bench) startOnce(ctx context.Context, data string) (took time.Duration, memory int, err error) {
	c, err := b.service(ctx, data)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := pause(ctx, b.idle); err != nil {
		return 0, 0, err
	}
	memory, err = c.memory()
	return c.started, memory, err
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// noteMemory tells the memory of a service that has been at work.
func (b *bench) noteMemory(c *child, after string) error {
	memory, err := c.memory()
	if err != nil {
		return err
	}
	b.report.note("resident memory after "+after, fmt.Sprintf("%.0f MB", float64(memory)/1e6))
	return nil
}
