package delivery_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// parked returns a process with an order of three events, the first of which was given up, and the
// subscriber, which tells everything from now on but for the event of the given sequence.
func parked(t *testing.T, refused int) (*process, *recorder, order.ID) {
	t.Helper()
	r := newRecorder(t, "events")
	down := true
	r.deliver = func(_ context.Context, messages []delivery.Message) []delivery.Result {
		if down {
			return allFailed(messages, errAway)
		}
		results := allTold(messages)
		if at := refused - messages[0].Events[0].Sequence; at >= 0 && at < results[0].Told {
			results[0] = delivery.Result{Told: at, Err: errAway}
		}
		return results
	}
	p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}, MaxAttempts: 2})
	id := p.place()
	p.notes(id, 2)
	pass(time.Hour)
	down = false
	return p, r, id
}

func TestRedrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r, id := parked(t, 0)
		start := time.Now()
		if err := p.operations.Redrive(t.Context(), id, "events"); err != nil {
			t.Fatalf("Redrive: %v", err)
		}
		synctest.Wait()
		r.wantTold(id, 3)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("told after %v, want at once", waited)
		}
		p.toldAll()
	})
}

func TestRedriveHasAllTriesAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r, id := parked(t, 1)
		before := len(r.callTimes())
		if err := p.operations.Redrive(t.Context(), id, "events"); err != nil {
			t.Fatalf("Redrive: %v", err)
		}
		pass(time.Hour)
		if tries := len(r.callTimes()) - before; tries != 2 {
			t.Errorf("%d tries after the redrive, want 2", tries)
		}
		if left := p.deliveries(delivery.StateParked); len(left) != 1 {
			t.Errorf("parked = %+v, want the order again", left)
		}
	})
}

func TestSkip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r, id := parked(t, 1)
		if err := p.operations.Skip(t.Context(), id, "events"); err != nil {
			t.Fatalf("Skip: %v", err)
		}
		synctest.Wait()
		r.mu.Lock()
		told := r.told[id]
		r.mu.Unlock()
		if len(told) != 2 || told[0] != 2 || told[1] != 3 {
			t.Errorf("told %v, want what comes after the skipped event", told)
		}
		p.toldAll()
	})
}

func TestOperationsRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, gate := gated(t)
		p := newProcess(t, memory.New(), delivery.Config{Subscribers: []delivery.Subscriber{r}})
		id := p.place()
		synctest.Wait()
		act := map[string]func(order.ID, string) error{
			"redrive": func(id order.ID, name string) error { return p.operations.Redrive(t.Context(), id, name) },
			"skip":    func(id order.ID, name string) error { return p.operations.Skip(t.Context(), id, name) },
		}
		for name, do := range act {
			if err := do(id, "events"); fault.KindOf(err) != fault.NotAllowed {
				t.Errorf("%s of what is being told = %v, want not allowed", name, err)
			}
			if err := do(id, "nobody"); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s of an unknown subscriber = %v, want not found", name, err)
			}
			if err := do(order.ID{1}, "events"); !errors.Is(err, order.ErrNotFound) {
				t.Errorf("%s of an unknown order = %v, want not found", name, err)
			}
		}
		close(gate)
		synctest.Wait()
		for name, do := range act {
			if err := do(id, "events"); fault.KindOf(err) != fault.NotAllowed {
				t.Errorf("%s of what was told = %v, want not allowed", name, err)
			}
		}
		for _, q := range []delivery.Query{
			{},
			{State: "lost", Limit: 1},
			{State: delivery.StateParked},
			{State: delivery.StateParked, Limit: delivery.MaxLimit + 1},
			{State: delivery.StateParked, Limit: 1, After: "?"},
		} {
			if _, err := p.operations.List(t.Context(), q); fault.KindOf(err) != fault.Invalid {
				t.Errorf("List(%+v) = %v, want invalid", q, err)
			}
		}
	})
}
