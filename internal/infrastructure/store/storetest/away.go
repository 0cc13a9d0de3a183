package storetest

import (
	"context"
	"testing"
	"time"

	"order-processing-service/internal/domain/fault"
)

// awayBound is how long a call may take to find out that the store can't be reached.
const awayBound = 30 * time.Second

// testAway is about a place that is lost while a store is open on it, and found again.
func testAway(t *testing.T, h Harness) {
	r := newRoom(t, h)
	o := sample(t, 1)
	r.create(t, o, told("mail"))
	if r.place.Cut == nil {
		return // declared: it can't be lost
	}
	heal := r.place.Cut()
	calls := callsOf(t, r, o.ID())
	type answer struct {
		name string
		err  error
	}
	answers := make(chan answer, len(calls))
	ctx, cancel := context.WithTimeout(t.Context(), awayBound)
	defer cancel()
	for name, call := range calls {
		go func() { answers <- answer{name, call(ctx)} }()
	}
	for range calls {
		select {
		case a := <-answers:
			wantKind(t, a.name+" of a store that is away", a.err, fault.Unavailable)
		case <-time.After(awayBound + 5*time.Second):
			t.Fatal("a call of a store that is away does not end")
		}
	}
	heal()
	if err := r.Ping(t.Context()); err != nil {
		t.Errorf("Ping when it is back: %v", err)
	}
	wantOrder(t, "Get when it is back", r.get(t, o.ID()), o)
	wantDeliveries(t, r, "when it is back", waiting(o.ID(), "mail", 1))
	r.create(t, sample(t, 2), nobody())
}
