package receiving

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// away is what a Worker knows of a part that it needs and that may be away. It says so once, and once that it is back.
type away struct {
	log  *slog.Logger
	part string

	mu    sync.Mutex
	times int // that it was found away, in a row
}

func (a *away) misses() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.times
}

// missed notes that the part was found away. Before is how often it had been when the look began: looks at the same time
// count once.
func (a *away) missed(ctx context.Context, before int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times != before {
		return
	}
	a.times++
	if a.times == 1 {
		a.log.WarnContext(ctx, "Commands wait, as a part that they need is away", "part", a.part, "error", err)
	}
}

// reached notes that the part is there.
func (a *away) reached(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times > 0 {
		a.times = 0
		a.log.InfoContext(ctx, "Commands go on", "part", a.part)
	}
}

// backoff is how long to wait after so many failures: none after none, then FirstDelay, doubled with each, up to longest.
func backoff(failures int, longest time.Duration) time.Duration {
	if failures <= 0 {
		return 0
	}
	wait := FirstDelay
	for i := 1; i < failures && wait < longest; i++ {
		wait *= 2
	}
	return min(wait, longest)
}

// pause waits. It is false when ctx ends meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}
