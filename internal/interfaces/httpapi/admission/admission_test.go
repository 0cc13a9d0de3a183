package admission_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/interfaces/httpapi/admission"
)

// crowd is those who go through a gate. It is for the inside of synctest.Test.
type crowd struct {
	t    *testing.T
	gate *admission.Gate
}

func newCrowd(t *testing.T, working, waiting int, timeout time.Duration) crowd {
	t.Helper()
	return crowd{t, admission.New(admission.Config{Working: working, Waiting: waiting, Timeout: timeout, Lent: 2})}
}

// comer is somebody who came.
type comer struct {
	decided chan struct{} // closed once the rest is there
	err     error
	took    time.Duration
}

// try has somebody do what may take a while.
func try(enter func() error) *comer {
	o, began := &comer{decided: make(chan struct{})}, time.Now()
	go func() {
		o.err = enter()
		o.took = time.Since(began)
		close(o.decided)
	}()
	synctest.Wait()
	return o
}

func (o *comer) done() bool {
	select {
	case <-o.decided:
		return true
	default:
		return false
	}
}

func (o *comer) String() string {
	if !o.done() {
		return "waiting"
	}
	return fmt.Sprintf("%v after %v", o.err, o.took)
}

// come has somebody come, and goes on once they are inside, turned away or waiting.
func (c crowd) come(ctx context.Context) *comer {
	return try(func() error { return c.gate.Enter(ctx, 0) })
}

// inside wants somebody to be inside.
func (c crowd) inside(o *comer) {
	c.t.Helper()
	if !o.done() || o.err != nil {
		c.t.Errorf("not inside: %v", o)
	}
}

// away wants somebody to have been turned away after so long.
func (c crowd) away(o *comer, err error, after time.Duration) {
	c.t.Helper()
	if !o.done() || !errors.Is(o.err, err) || o.took != after {
		c.t.Errorf("%v; want %v after %v", o, err, after)
	}
}

func (c crowd) leave() {
	c.gate.Leave()
	synctest.Wait()
}

// lend lends a place that is not to be called back.
func (c crowd) lend(after time.Duration) *admission.Loan {
	c.t.Helper()
	return c.gate.Lend(after, func() { c.t.Error("the loan was called back") })
}

func (c crowd) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestOnlySoManyWorkAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 2, 2, time.Second)
		c.inside(c.come(t.Context()))
		c.inside(c.come(t.Context()))
		third, fourth := c.come(t.Context()), c.come(t.Context())
		c.away(c.come(t.Context()), admission.ErrFull, 0)
		if third.done() || fourth.done() || c.gate.Waiting() != 2 {
			t.Errorf("nobody is to decide of those who wait: %v, %v", third, fourth)
		}
		c.leave()
		c.inside(third) // in their order
		if fourth.done() {
			t.Error("three work")
		}
		c.leave()
		c.inside(fourth)
		c.leave()
		c.leave()
		c.inside(c.come(t.Context()))
	})
}

func TestNobodyWaitsForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1, 3, time.Second)
		c.inside(c.come(t.Context()))
		first := c.come(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		impatient := c.come(ctx)
		leaving, leave := context.WithCancel(t.Context())
		gone := c.come(leaving)
		c.pass(100 * time.Millisecond)
		leave()
		synctest.Wait()
		c.away(gone, context.Canceled, 100*time.Millisecond)
		c.pass(time.Second)
		c.away(impatient, context.DeadlineExceeded, 300*time.Millisecond)
		c.away(first, admission.ErrTimeout, time.Second)
		if n := c.gate.Waiting(); n != 0 {
			t.Errorf("%d wait", n)
		}
		c.leave()
		c.inside(c.come(t.Context()))
	})
}

// Once somebody has been waiting for longer than one may, those who have waited for a third of that give way to fresher ones, until
// nobody waits.
func TestAStandingQueueMakesShortWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1, 10, time.Second)
		c.inside(c.come(t.Context()))
		var waiting []*comer
		for range 4 { // at 0, 400, 800 and 1,200 ms
			waiting = append(waiting, c.come(t.Context()))
			c.pass(400 * time.Millisecond)
		}
		c.away(waiting[0], admission.ErrTimeout, time.Second)
		c.away(waiting[1], admission.ErrTimeout, time.Second)
		if waiting[2].done() { // for 800 ms
			t.Fatal(waiting[2])
		}
		c.leave()
		c.away(waiting[2], admission.ErrTimeout, 800*time.Millisecond)
		c.inside(waiting[3])

		// The queue was empty, so that one may wait for long again.
		old := c.come(t.Context())
		c.pass(900 * time.Millisecond)
		young := c.come(t.Context())
		c.leave()
		c.inside(old)
		c.leave()
		c.inside(young)
	})
}

// The last one is not turned away for somebody fresher, as there is nobody.
func TestAPlaceIsNeverWasted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1, 10, time.Second)
		c.inside(c.come(t.Context()))
		first := c.come(t.Context())
		c.pass(500 * time.Millisecond)
		second := c.come(t.Context())
		c.pass(900 * time.Millisecond)
		c.away(first, admission.ErrTimeout, time.Second)
		c.leave()
		c.inside(second)
	})
}

// Whoever has waited elsewhere counts as waiting since then.
func TestWaitsElsewhereCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1, 10, 900*time.Millisecond)
		c.inside(c.come(t.Context()))
		if c.gate.Try() {
			t.Error("two work")
		}
		half := try(func() error { return c.gate.Enter(t.Context(), 500*time.Millisecond) })
		whole := try(func() error { return c.gate.Enter(t.Context(), time.Hour) })
		c.pass(time.Second)
		c.away(half, admission.ErrTimeout, 400*time.Millisecond)
		c.away(whole, admission.ErrTimeout, 300*time.Millisecond)

		stale := try(func() error { return c.gate.Enter(t.Context(), time.Hour) })
		fresh := c.come(t.Context())
		c.leave()
		c.away(stale, admission.ErrTimeout, 0)
		c.inside(fresh)
		c.leave()
		if !c.gate.Try() {
			t.Error("there is room")
		}
	})
}

func TestAPlaceIsLent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1, 2, time.Second)
		c.inside(c.come(t.Context()))
		loan := c.lend(100 * time.Millisecond)
		other := c.come(t.Context())
		c.pass(99 * time.Millisecond)
		if other.done() {
			t.Error("the place was lent too early")
		}
		c.pass(time.Millisecond)
		c.inside(other)

		third, fourth := c.come(t.Context()), c.come(t.Context())
		back := try(func() error { return loan.Return(t.Context()) }) // though the queue is full
		c.leave()
		c.inside(back)
		c.leave()
		c.inside(third)
		c.leave()
		c.inside(fourth)
		c.leave()
		c.inside(c.come(t.Context()))
	})
}

func TestAPlaceThatWasNotLent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1, 0, time.Second)
		for range 2 {
			c.inside(c.come(t.Context()))
			loan := c.lend(100 * time.Millisecond)
			if err := loan.Return(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.pass(time.Second)
			c.away(c.come(t.Context()), admission.ErrFull, 0)
			if inside, recalled := c.lend(100 * time.Millisecond).End(); !inside || recalled {
				t.Error("the place is gone")
			}
			c.leave()
		}
		c.inside(c.come(t.Context()))
		loan := c.lend(100 * time.Millisecond)
		c.pass(time.Second)
		c.inside(c.come(t.Context()))
		if inside, _ := loan.End(); inside {
			t.Error("two have one place")
		}
		loan = c.lend(100 * time.Millisecond)
		c.pass(time.Second)
		c.inside(c.come(t.Context()))
		if err := loan.Return(t.Context()); !errors.Is(err, admission.ErrTimeout) {
			t.Errorf("got %v", err)
		}
	})
}

// Whatever happens at the same moment, places are neither lost nor made.
func TestPlacesAreKept(t *testing.T) {
	const working, waiting = 4, 8
	synctest.Test(t, func(t *testing.T) {
		g := admission.New(admission.Config{Working: working, Waiting: waiting, Timeout: time.Millisecond, Lent: waiting})
		var inside, worst atomic.Int64
		work := func(n int) {
			now := inside.Add(1)
			for most := worst.Load(); now > most; most = worst.Load() {
				if worst.CompareAndSwap(most, now) {
					break
				}
			}
			time.Sleep(time.Duration(n%3) * 50 * time.Microsecond)
			inside.Add(-1)
		}
		var group sync.WaitGroup
		for i := range 64 {
			group.Go(func() {
				for n := range 200 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(i+n)%40)*100*time.Microsecond)
					if g.Enter(ctx, 0) == nil {
						work(n)
						loan := g.Lend(time.Duration(n%2)*time.Hour, func() {})
						if loan.Return(ctx) == nil {
							work(n)
							g.Leave()
						}
					}
					cancel()
				}
			})
		}
		group.Wait()
		if most := worst.Load(); most > working {
			t.Errorf("%d worked at once", most)
		}
		for range working {
			if err := g.Enter(t.Context(), 0); err != nil {
				t.Errorf("a place is lost: %v", err)
			}
		}
		if g.Enter(t.Context(), 0) == nil {
			t.Error("there is a place too many")
		}
	})
}

// Places are free for those who were turned away once nobody else has needed one for a while.
func TestFree(t *testing.T) {
	for _, waiting := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, 2, waiting, time.Hour)
			free := func(want int) {
				t.Helper()
				if got := c.gate.Free(); got != want {
					t.Errorf("%d places are free, want %d", got, want)
				}
			}
			free(2)
			c.inside(c.come(t.Context()))
			free(1)
			c.inside(c.come(t.Context()))
			free(0)
			c.come(t.Context()) // waits, or is turned away
			for range 2 + waiting {
				c.leave()
			}
			free(0)
			c.pass(250 * time.Millisecond)
			free(2)
		})
	}
}
