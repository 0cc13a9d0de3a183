// Command bench measures the service against the limits that it is held to, in one run, and prints ratios: what a durable
// order costs beside a bare net/http server on the same machine, and what does not get slower as orders accumulate.
//
//	go run ./test/bench -orders bin/orders [-quick] [-only post,get] [-write docs/benchmarks.md]
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

// options are the flags.
type options struct {
	program    string        // the service
	count      int           // orders in the large store
	small      int           // orders in the small store
	changed    int           // orders that are changed
	rounds     int           // of each side
	round      time.Duration // of one side
	warmUp     time.Duration // of each side, before its first round
	starts     int           // of the service, to time them
	idle       time.Duration // from the first answer to looking at the memory
	importFile string
	logLevel   string
	bareGC     int    // GOGC of the bare servers
	parent     string // where the temporary folder is made
	output     string // the file to write the report to; empty for none
	only       []string
	timeout    time.Duration
}

// bench is one run.
type bench struct {
	options
	dir    string // everything that is written lies here, until the end
	files  int    // names given
	report *report
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		err = serveBare(ctx, os.Args[2:])
	} else {
		err = run(ctx, parse())
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// parse reads the flags; a wrong one ends the program.
func parse() options {
	var o options
	flag.StringVar(&o.program, "orders", "bin/orders", "the built program")
	flag.IntVar(&o.count, "orders-count", 1_000_000, "orders in the large store")
	flag.IntVar(&o.small, "small-count", 10_000, "orders in the small store")
	flag.IntVar(&o.changed, "changed-count", 100_000, "orders that PATCH changes; each can be moved three times")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each side")
	flag.DurationVar(&o.round, "round", 3*time.Second, "length of a round")
	flag.DurationVar(&o.warmUp, "warm-up", time.Second, "length of the warm-up of each side")
	flag.IntVar(&o.starts, "starts", 11, "starts that are timed")
	flag.DurationVar(&o.idle, "idle", 2*time.Second, "time from the first answer to looking at the idle memory")
	flag.StringVar(&o.importFile, "import-file", "../shared/data/online-retail-2010-2011-part.csv.gz", "the real file")
	flag.StringVar(&o.logLevel, "log-level", "INFO", "LOG_LEVEL of the service; its default is INFO")
	flag.IntVar(&o.bareGC, "bare-gogc", 400, "GOGC of the bare servers; the service sets 400 for itself")
	flag.StringVar(&o.parent, "dir", "", "folder for the data, on the disk to be measured (default the system's temporary one)")
	flag.StringVar(&o.output, "write", "", "file to write the report to as well")
	flag.DurationVar(&o.timeout, "timeout", 45*time.Minute, "end of the run at the latest")
	only := flag.String("only", "", "measure these alone: "+strings.Join(groupNames(), ", "))
	quick := flag.Bool("quick", false, "a short run that shows that everything works; its figures say little")
	flag.Parse()
	if *quick {
		o.count, o.small, o.changed = 20_000, 2_000, 20_000
		o.rounds, o.round, o.warmUp = 2, 500*time.Millisecond, 200*time.Millisecond
		o.starts, o.idle = 3, 500*time.Millisecond
	}
	o.only = strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	for _, name := range o.only {
		if !slices.Contains(groupNames(), name) {
			refuse("-only " + name + ": name some of " + strings.Join(groupNames(), ", "))
		}
	}
	switch {
	case flag.NArg() > 0:
		refuse("give flags only, not " + flag.Arg(0))
	case min(o.count, o.small, o.changed) < batchSize || min(o.rounds, o.starts) < 1:
		refuse("give counts of at least 1000, and a round and a start or more")
	case o.output != "" && (*quick || len(o.only) > 0):
		refuse("-write is for whole runs, without -quick and -only")
	}
	return o
}

// refuse ends the program for a wrong flag.
func refuse(why string) {
	fmt.Fprintln(os.Stderr, "bench:", why)
	os.Exit(2)
}

// group is a number of rows that are measured together.
type group struct {
	name    string
	rows    []string
	measure func(*bench, context.Context) error
}

// groups are in the order in which they are measured: what needs a quiet machine and disk comes first, and what makes
// many files last.
func groups() []group {
	return []group{
		{"start", []string{rowStart, rowMemory}, (*bench).measureStart},
		{"post", []string{rowPost64, rowPost256}, (*bench).measurePost},
		{"patch", []string{rowPatchStatus, rowPatchMeta}, (*bench).measurePatch},
		{"import", []string{rowImport}, (*bench).measureImport},
		{"size", []string{rowGet, rowGrown, rowList}, (*bench).measureSize},
		{"told", []string{rowTold}, (*bench).measureTold},
	}
}

func groupNames() []string {
	var names []string
	for _, g := range groups() {
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
	if b.dir, err = os.MkdirTemp(o.parent, "orders-bench"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	// At the very end: removing many files slows a disk down for a while.
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.report.machine, err = lookAround(b.dir); err != nil {
		return err
	}
	b.report.how = o.describe()
	var failures []error
	for _, g := range groups() {
		if len(o.only) > 0 && !slices.Contains(o.only, g.name) {
			continue
		}
		b.say("measuring %s", g.name)
		if err := g.measure(b, ctx); err != nil {
			b.say("%s: %v", g.name, err)
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

// say tells what goes on.
func (*bench) say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// path returns a new name in the temporary folder.
func (b *bench) path(kind string) string {
	b.files++
	return filepath.Join(b.dir, kind+"-"+strconv.Itoa(b.files))
}
