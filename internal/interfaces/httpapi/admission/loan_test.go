package admission_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/interfaces/httpapi/admission"
)

// Only so many places are lent: whoever would have the next one is called back, still has its place, and gives it up.
func TestLoansAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 1, 1, time.Second)
		var loans []*admission.Loan
		for range 2 {
			c.inside(c.come(t.Context()))
			loans = append(loans, c.lend(100*time.Millisecond))
			c.pass(time.Second)
		}
		for range 2 {
			c.inside(c.come(t.Context()))
			calls := 0
			loan := c.gate.Lend(100*time.Millisecond, func() { calls++ })
			c.pass(time.Second)
			c.away(try(func() error { return loan.Return(t.Context()) }), admission.ErrFull, 0)
			if calls != 1 {
				t.Errorf("called back %d times", calls)
			}
		}
		c.inside(c.come(t.Context())) // the place is not lost
		last := c.gate.Lend(100*time.Millisecond, func() {})
		c.pass(time.Second)
		if inside, recalled := last.End(); !inside || !recalled {
			t.Errorf("inside: %t, recalled: %t", inside, recalled)
		}
		c.leave()

		// Those who have ended make room, whether they came back or not.
		if inside, _ := loans[0].End(); inside {
			t.Error("it has a place that it lent")
		}
		c.inside(try(func() error { return loans[1].Return(t.Context()) }))
		loans = nil
		for range 2 {
			loans = append(loans, c.lend(100*time.Millisecond))
			c.pass(time.Second)
			c.inside(c.come(t.Context()))
		}
		for _, loan := range loans { // nobody leaves
			if err := loan.Return(t.Context()); !errors.Is(err, admission.ErrTimeout) {
				t.Errorf("got %v", err)
			}
		}
		again := c.lend(100 * time.Millisecond)
		c.pass(time.Second)
		if inside, _ := again.End(); inside {
			t.Error("those who came back in vain still count")
		}
	})
}

// However many come back, every other place is for those who have just come; both in their order.
func TestWhoComesBackTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const loans, waiting = 5, 3
		c := crowd{t, admission.New(admission.Config{Working: 1, Waiting: waiting, Timeout: time.Second, Lent: loans})}
		var lent []*admission.Loan
		for range loans {
			c.inside(c.come(t.Context()))
			lent = append(lent, c.lend(time.Millisecond))
			c.pass(time.Millisecond)
		}
		c.inside(c.come(t.Context()))
		var back, fresh []*comer
		for _, loan := range lent {
			back = append(back, try(func() error { return loan.Return(t.Context()) }))
		}
		for range waiting {
			fresh = append(fresh, c.come(t.Context()))
		}
		if n := c.gate.Waiting(); n != loans+waiting {
			t.Errorf("%d wait", n)
		}
		for i, next := range []*comer{back[0], fresh[0], back[1], fresh[1], back[2], fresh[2], back[3], back[4]} {
			if next.done() {
				t.Errorf("turn %d comes too early", i)
			}
			c.leave()
			c.inside(next)
		}
	})
}
