// Command bench measures the service against the limits that it is held to, in one run, and prints ratios: what a durable
// order costs beside a bare net/http server on the same machine, and what does not get slower as orders accumulate.
//
//	go run ./test/bench -orders bin/orders [-quick] [-only post,size] [-write docs/benchmarks.md]
//
// Every server is a child process on the loopback interface with data in a temporary folder. The sides of a ratio take
// turns in short rounds; the median of the rounds' ratios counts, and their least and greatest are told beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bench is one run.
type bench struct {
	options
	dir    string // everything that is written lies here, until the end
	files  int    // names given
	report *report
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// start is the server to compare with, or the run.
func start(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == bareCommand {
		return serveBare(ctx, args[1:])
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	return run(ctx, o)
}

// group is a number of rows that are measured together.
type group struct {
	name    string
	rows    []string
	measure func(*bench, context.Context) error
}

// groups are those of the store that is measured.
func (o *options) groups() []group {
	if o.overload {
		return overloadGroups()
	}
	if o.mongo != "" {
		return []group{{mongoGroup, []string{rowMongoPost, rowMongoGet}, (*bench).measureMongo}}
	}
	return embeddedGroups()
}

// embeddedGroups are in the order in which they are measured: what needs a quiet machine and disk comes first, and what
// makes many files last.
func embeddedGroups() []group {
	return []group{
		{"start", []string{rowStart, rowMemory}, (*bench).measureStart},
		{"post", []string{rowPost64, rowPost256}, (*bench).measurePost},
		{"patch", []string{rowPatchStatus, rowPatchMeta}, (*bench).measurePatch},
		{"import", []string{rowImport}, (*bench).measureImport},
		{"size", []string{rowGet, rowGrown, rowList}, (*bench).measureSize},
		{"told", []string{rowTold}, (*bench).measureTold},
	}
}

func groupNames(groups []group) []string {
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	return names
}

// run measures everything that is asked for and tells it. What can't be measured is told too, and fails the run at its end.
func run(ctx context.Context, o options) (err error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if o.program, err = filepath.Abs(o.program); err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	if _, err := os.Stat(o.program); err != nil {
		return fmt.Errorf("%w; run make build, or name it with -orders", err)
	}
	b := &bench{options: o, report: newReport(o.count, o.small)}
	switch {
	case o.overload:
		b.report = newOverloadReport()
	case o.mongo != "":
		b.report = newMongoReport()
	}
	if b.dir, err = os.MkdirTemp(o.parent, "orders-bench"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	// At the very end: removing many files slows a disk down for a while.
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.report.machine, err = lookAround(ctx, o.program, b.dir); err != nil {
		return err
	}
	b.report.how = o.describe()
	var failures []error
	for _, g := range o.groups() {
		if len(o.only) > 0 && !slices.Contains(o.only, g.name) {
			continue
		}
		b.sayf("measuring %s", g.name)
		if err := g.measure(b, ctx); err != nil {
			b.sayf("%s: %v", g.name, err)
			b.report.leave(err, g.rows...)
			if _, absent := errors.AsType[absentError](err); !absent {
				failures = append(failures, fmt.Errorf("%s: %w", g.name, err))
			}
		}
	}
	return errors.Join(append(failures, b.publish(len(failures) == 0))...)
}

// publish prints the report and, when it is whole, writes it to the file that is asked for.
func (b *bench) publish(whole bool) error {
	now := time.Now()
	if err := b.report.write(os.Stdout, now); err != nil || b.output == "" || !whole {
		return err
	}
	var text strings.Builder
	if err := b.report.write(&text, now); err != nil {
		return err
	}
	if err := os.WriteFile(b.output, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// sayf tells what goes on.
func (*bench) sayf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// path returns a new name in the temporary folder.
func (b *bench) path(kind string) string {
	b.files++
	return filepath.Join(b.dir, kind+"-"+strconv.Itoa(b.files))
}
