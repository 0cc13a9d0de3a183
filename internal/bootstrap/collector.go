package bootstrap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

const (
	// gcPercent is GOGC while little is kept in memory: to collect less often costs some megabytes and saves a tenth of the work of
	// placing an order.
	gcPercent = 400
	// leastPercent is GOGC when much is kept, as with thousands of connections.
	leastPercent = 50
	// garbage is about how many bytes of it there may be in between.
	garbage = 128 << 20
)

// tuneCollector has the garbage collector leave a few times what is kept, but not more than some bytes, as long as the process lives. It
// does nothing when GOGC is set.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		tuning()
	}
}

// tuning begins once in a process.
//
//nolint:gochecknoglobals // the collector is the whole process's
var tuning = sync.OnceFunc(func() {
	debug.SetGCPercent(gcPercent)
	afterCollection(&tuner{percent: gcPercent, kept: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}})
})

// tuner sets GOGC by what was kept at the last collection. The collector counts stacks and globals as kept.
type tuner struct {
	percent int
	kept    []metrics.Sample
}

// afterCollection calls tune after each collection from now on.
func afterCollection(t *tuner) {
	runtime.AddCleanup(&struct{ *tuner }{t}, func(t *tuner) {
		t.tune()
		afterCollection(t)
	}, t)
}

func (t *tuner) tune() {
	metrics.Read(t.kept)
	kept := uint64(0)
	for _, s := range t.kept {
		kept += s.Value.Uint64()
	}
	if percent := percentFor(kept); percent != t.percent {
		t.percent = percent
		debug.SetGCPercent(percent)
	}
}

// percentFor is GOGC for so many bytes that are kept, in steps of 10: to set it stops the program for a moment.
func percentFor(kept uint64) int {
	const step = 10
	percent := garbage * 100 / max(kept, 1) / step * step
	return int(min(max(percent, leastPercent), gcPercent))
}
