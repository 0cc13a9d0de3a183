package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
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
	overload   bool   // offer more than can be done
	mongo      string // URI of the MongoDB server to measure on instead of the embedded store; empty for none
}

// parse reads the flags.
func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.program, "orders", "bin/orders", "the built program")
	f.IntVar(&o.count, "orders-count", 1_000_000, "orders in the large store")
	f.IntVar(&o.small, "small-count", 10_000, "orders in the small store")
	f.IntVar(&o.changed, "changed-count", 100_000, "orders that PATCH changes; each can be moved three times")
	f.IntVar(&o.rounds, "rounds", 5, "rounds of each side")
	f.DurationVar(&o.round, "round", 3*time.Second, "length of a round")
	f.DurationVar(&o.warmUp, "warm-up", time.Second, "length of the warm-up of each side")
	f.IntVar(&o.starts, "starts", 11, "starts that are timed")
	f.DurationVar(&o.idle, "idle", 2*time.Second, "time from the first answer to looking at the idle memory")
	f.StringVar(&o.importFile, "import-file", "../shared/data/online-retail-2010-2011-part.csv.gz", "the real file")
	f.StringVar(&o.logLevel, "log-level", "INFO", "LOG_LEVEL of the service; its default is INFO")
	f.IntVar(&o.bareGC, "bare-gogc", 400, "GOGC of the bare servers; the service sets 400 for itself")
	f.StringVar(&o.parent, "dir", "", "folder for the data, on the disk to be measured (default the system's temporary one)")
	f.StringVar(&o.output, "write", "", "file to write the report to as well")
	f.DurationVar(&o.timeout, "timeout", 45*time.Minute, "end of the run at the latest")
	f.StringVar(&o.mongo, "mongo", "", "URI of a MongoDB server: measure the service on it, beside its driver, instead of the embedded store")
	f.BoolVar(&o.overload, "overload", false, "offer more than the service can do, on the embedded store and on the server of -mongo")
	only := f.String("only", "", "measure these alone: "+strings.Join(groupNames(embeddedGroups()), ", "))
	quick := f.Bool("quick", false, "a short run that shows that everything works; its figures say little")
	if err := f.Parse(args); err != nil {
		return o, fmt.Errorf("flags: %w", err)
	}
	if *quick {
		o.count, o.small, o.changed = 20_000, 2_000, 20_000
		o.rounds, o.round, o.warmUp = 2, 500*time.Millisecond, 200*time.Millisecond
		o.starts, o.idle = 3, 500*time.Millisecond
	}
	if o.mongo != "" {
		o.changed = min(o.changed, mongoOrders)
	}
	o.only = strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	for _, name := range o.only {
		if !slices.Contains(groupNames(o.groups()), name) {
			return o, fmt.Errorf("-only %s: name some of %s", name, strings.Join(groupNames(o.groups()), ", "))
		}
	}
	switch {
	case f.NArg() > 0:
		return o, errors.New("give flags only, not " + f.Arg(0))
	case min(o.count, o.small, o.changed) < batchSize || min(o.rounds, o.starts) < 1 || o.round <= 0:
		return o, errors.New("give counts of at least 1000, and a round and a start or more")
	case o.output != "" && (*quick || len(o.only) > 0):
		return o, errors.New("-write is for whole runs, without -quick and -only")
	}
	return o, nil
}
