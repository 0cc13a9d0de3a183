package bootstrap

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPercentFor(t *testing.T) {
	const mebibyte = 1 << 20
	for kept, want := range map[uint64]int{0: 400, 10 * mebibyte: 400, 32 * mebibyte: 400, 64 * mebibyte: 200, 100 * mebibyte: 120, 256 * mebibyte: 50, 1 << 40: 50} {
		if got := percentFor(kept); got != want {
			t.Errorf("%d MiB: %d, want %d", kept/mebibyte, got, want)
		}
	}
}

// TestTuneCollector keeps much, and then little.
func TestTuneCollector(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	tuneCollector()
	awaitPercent := func(want int) {
		for limit := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
			runtime.GC()
			got := debug.SetGCPercent(100) // it tells what it was only by being set
			if got == want {
				return
			}
			if time.Now().After(limit) {
				t.Fatalf("GOGC is %d, want %d", got, want)
			}
		}
	}
	much := make([]byte, 512<<20)
	awaitPercent(leastPercent)
	runtime.KeepAlive(much)
	awaitPercent(gcPercent) // it is free by now
}
