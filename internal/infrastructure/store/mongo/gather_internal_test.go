package mongo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestGatheredWaitForNobodysTime has callers with little time beside one with more: who has left is not served, and the
// work has the time of who may wait longest.
func TestGatheredWaitForNobodysTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var workers sync.WaitGroup
		var mu sync.Mutex
		var served [][]int
		free := make(chan struct{})
		g := newGatherer(&workers, func(ctx context.Context, batch []int) {
			<-free
			mu.Lock()
			defer mu.Unlock()
			served = append(served, slices.Clone(batch))
			if slices.Contains(batch, 2) {
				if until, _ := ctx.Deadline(); time.Until(until) != 8*time.Second {
					t.Errorf("%v are left for %v", time.Until(until), batch)
				}
			}
		})
		ask := func(what int, d time.Duration) (bool, error) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			return g.ask(ctx, what, deadlineOf(ctx))
		}
		var callers sync.WaitGroup
		for range gatherers { // each has something to do
			callers.Go(func() { _, _ = ask(0, time.Minute) })
			synctest.Wait() // else one would take several
		}
		callers.Go(func() {
			if begun, err := ask(1, time.Second); begun || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one who left: begun %t, %v", begun, err)
			}
		})
		synctest.Wait()
		callers.Go(func() {
			if begun, err := ask(2, 10*time.Second); !begun || err != nil {
				t.Errorf("the one who stayed: begun %t, %v", begun, err)
			}
		})
		synctest.Wait()
		time.Sleep(2 * time.Second)
		close(free)
		callers.Wait()
		g.end()
		workers.Wait()
		for _, batch := range served {
			if slices.Contains(batch, 1) {
				t.Errorf("served %v", served)
			}
		}
	})
}
