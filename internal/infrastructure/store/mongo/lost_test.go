package mongo_test

import (
	"fmt"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/test/proxy"
)

// Commands whose answers are lost, as their names stand in a request.
const (
	inserts = "\x02insert\x00"
	updates = "\x02update\x00"
	finds   = "\x02find\x00"
)

// all is more answers than are asked for before the time is up.
const all = 10_000

// lossy is a store whose network loses answers, beside one that finds out what was done.
type lossy struct {
	*mongo.Store

	network *proxy.Proxy
	witness *history
}

func newLossy(t *testing.T, timeout time.Duration) *lossy {
	t.Helper()
	h := newHistory(t)
	store, network := h.throughNetwork(t, timeout)
	return &lossy{Store: store, network: network, witness: h}
}

// mine is a handover to a dispatcher of this process.
func mine() delivery.Handover {
	return delivery.Handover{Subscribers: []string{"mail"}, Owner: "me", Until: now.Add(time.Minute)}
}

// drafts returns n new orders.
func drafts(t *testing.T, n int) []ordering.NewOrder {
	t.Helper()
	list := make([]ordering.NewOrder, n)
	for i := range list {
		o, err := order.New(order.TimedID(now, [8]byte{7: byte(i)}), order.Draft{
			CustomerID: "c-1", Currency: "EUR", Items: []order.DraftItem{{SKU: "TEA", Quantity: 2, UnitPrice: "12.50"}},
		}, "", order.Stamp{Time: now, Actor: "me"})
		if err != nil {
			t.Fatal(err)
		}
		list[i] = ordering.NewOrder{Order: o, Handover: mine()}
	}
	return list
}

// one is an order that is there.
func (l *lossy) one(t *testing.T) order.ID {
	t.Helper()
	list := drafts(t, 1)
	if made := l.witness.Create(t.Context(), list); made[0].Err != nil || made[0].Existing != nil {
		t.Fatalf("Create: %+v", made[0])
	}
	return list[0].Order.ID()
}

// parked is an order of which mail has been told nothing, and was given up.
func (l *lossy) parked(t *testing.T) order.ID {
	t.Helper()
	id := l.one(t)
	l.settle(t, delivery.Settlement{Order: id, Subscriber: "mail", Owner: "me", Error: "gone", Attempts: 5})
	return id
}

func (l *lossy) settle(t *testing.T, s delivery.Settlement) {
	t.Helper()
	if answers, err := l.witness.Settle(t.Context(), []delivery.Settlement{s}); err != nil || answers[0].Lost {
		t.Fatalf("Settle: %+v, %v", answers, err)
	}
}

// changeAfter has somebody else change an order once the answers are lost. The call that is returned waits for that; it is for a test
// whose own call has succeeded, as the answers are lost then.
func (l *lossy) changeAfter(t *testing.T, lost <-chan struct{}, id order.ID, to delivery.Handover) (wait func()) {
	t.Helper()
	theirs := make(chan error, 1)
	go func() {
		select {
		case <-lost:
			_, err := l.witness.Change(t.Context(), id, to, now, note("theirs"))
			theirs <- err
		case <-t.Context().Done():
		}
	}()
	return func() {
		t.Helper()
		select {
		case <-lost:
		case <-time.After(20 * time.Second):
			t.Fatal("it succeeded, though the answers are not lost")
		}
		if err := <-theirs; err != nil {
			t.Error(err)
		}
	}
}

// wantUnknown checks that nobody claims to know what came of a write.
func wantUnknown(t *testing.T, what string, err error) {
	t.Helper()
	f := fault.Of(err)
	if err == nil || f.Kind != fault.Unavailable || f.Code != "store_outcome_unknown" || f.RetryAfter < time.Second {
		t.Errorf("%s: %v, want a fault that says that the outcome is unknown, and when to try again", what, err)
	}
}

// wantWaiting checks what waits, as "sequence attempts".
func (l *lossy) wantWaiting(t *testing.T, state delivery.State, want ...string) {
	t.Helper()
	page, err := l.witness.Deliveries(t.Context(), delivery.Query{State: state, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range page.Deliveries {
		got = append(got, fmt.Sprint(d.Sequence, " ", d.Track.Attempts))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s are %v, want %v", state, got, want)
	}
}

// lostly runs a test once with as many lost answers as are settled, and more. A driver stays away from a server for half a second
// after it was cut off, so that five take a while.
func lostly(t *testing.T, test func(t *testing.T, l *lossy, n int)) {
	t.Helper()
	for _, n := range []int{1, 2, 5} { // a driver that repeats a write by itself loses two at once
		t.Run(fmt.Sprint(n, " lost"), func(t *testing.T) {
			t.Parallel()
			test(t, newLossy(t, 20*time.Second), n)
		})
	}
}

func TestLostCreate(t *testing.T) {
	t.Parallel()
	lostly(t, func(t *testing.T, l *lossy, n int) {
		t.Helper()
		list := drafts(t, 20)
		there := l.witness.Create(t.Context(), list[:1]) // before
		lost := l.network.CutAfterSending(n, inserts)
		made := l.Create(t.Context(), list[1:])
		<-lost
		for i, m := range made {
			if m.Err != nil || m.Existing != nil || len(m.Leased) != 1 {
				t.Errorf("order %d: %+v, want it made and leased", i, m)
			}
		}
		again := l.Create(t.Context(), list)
		for i, m := range again {
			if m.Err != nil || m.Existing == nil || m.Existing.Version() != 1 {
				t.Errorf("order %d once more: %+v, want the one that is there", i, m)
			}
		}
		if orders, err := l.witness.List(t.Context(), ordering.Query{Limit: 100}); err != nil || len(orders) != len(list) || there[0].Err != nil {
			t.Errorf("there are %d orders, %v, %v", len(orders), err, there[0].Err)
		}
	})
}

func TestLostChange(t *testing.T) {
	t.Parallel()
	lostly(t, func(t *testing.T, l *lossy, n int) {
		t.Helper()
		id := l.one(t)
		l.settle(t, delivery.Settlement{Order: id, Subscriber: "mail", Owner: "me", Told: 1})
		lost := l.network.CutAfterSending(n, updates)
		// Somebody writes as well, before or after it was found out what came of it.
		theirs := l.changeAfter(t, lost, id, delivery.Handover{})
		changed, err := l.Change(t.Context(), id, mine(), now, note("mine"))
		if err != nil || changed.Order.View().Metadata["mine"] == "" || len(changed.Leased) != 1 {
			t.Fatalf("Change: %+v, %v", changed, err)
		}
		theirs()
		o, err := l.witness.Get(t.Context(), id)
		if err != nil || o.Version() != 3 || len(o.View().Metadata) != 2 {
			t.Errorf("the order is %s, %v; want both changes made once", form(o), err)
		}
		if events, err := l.witness.Events(t.Context(), id, 0, 10); err != nil || len(events) != 3 {
			t.Errorf("%d events, %v, want 3", len(events), err)
		}
	})
}

func TestLostSettle(t *testing.T) {
	t.Parallel()
	lostly(t, func(t *testing.T, l *lossy, n int) {
		t.Helper()
		list := drafts(t, 3)
		l.witness.Create(t.Context(), list)
		var settlements []delivery.Settlement
		for i, d := range list {
			s := delivery.Settlement{Order: d.Order.ID(), Subscriber: "mail", Owner: "me", Told: 1}
			if i == 0 {
				s.Told, s.Error, s.Attempts = 0, "busy", 1
			}
			settlements = append(settlements, s)
		}
		l.network.CutAfterSending(n, updates)
		for range n { // what has failed is settled again, as the dispatcher does
			answers, err := l.Settle(t.Context(), settlements)
			if err != nil && fault.KindOf(err) != fault.Unavailable {
				t.Fatal(err)
			}
			if err != nil {
				continue
			}
			for i, a := range answers {
				if a.More || a.Lost && n == 1 {
					t.Errorf("settlement %d: %+v", i, a)
				}
			}
			break
		}
		l.wantWaiting(t, delivery.StateParked, "1 1")
		l.wantWaiting(t, delivery.StateWaiting)
	})
}

func TestLostSkip(t *testing.T) {
	t.Parallel()
	lostly(t, func(t *testing.T, l *lossy, n int) {
		t.Helper()
		id := l.parked(t)
		lost := l.network.CutAfterSending(n, updates)
		theirs := l.changeAfter(t, lost, id, delivery.Handover{Subscribers: []string{"mail"}})
		if err := l.Skip(t.Context(), id, "mail", now); err != nil {
			t.Fatalf("Skip: %v", err)
		}
		theirs()
		l.wantWaiting(t, delivery.StateWaiting, "2 0") // the event that came meanwhile was not passed over
		l.wantWaiting(t, delivery.StateParked)
	})
}

func TestLostRedrive(t *testing.T) {
	t.Parallel()
	lostly(t, func(t *testing.T, l *lossy, n int) {
		t.Helper()
		id := l.parked(t)
		l.network.CutAfterSending(n, updates)
		if err := l.Redrive(t.Context(), id, "mail", now); err != nil {
			t.Errorf("Redrive: %v", err)
		}
		l.wantWaiting(t, delivery.StateWaiting, "1 0")
		l.wantWaiting(t, delivery.StateParked)
	})
}

// TestLostForGood loses every answer from some moment on, until the time is up: nobody may say then that nothing was done.
func TestLostForGood(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second // a driver stays away from a server for half a second after it was cut off
	for _, tt := range []struct {
		name string
		call func(t *testing.T, l *lossy) (order.ID, error)
		want func(t *testing.T, l *lossy, id order.ID)
	}{
		{"an insert", func(t *testing.T, l *lossy) (order.ID, error) {
			t.Helper()
			list := drafts(t, 1)
			l.network.CutAfterSending(all, inserts)
			return list[0].Order.ID(), l.Create(t.Context(), list)[0].Err
		}, wantVersion(1)},
		{"an insert, and who has looked for it", func(t *testing.T, l *lossy) (order.ID, error) {
			t.Helper()
			list := drafts(t, 1)
			l.network.CutAfterSending(2, inserts)
			l.network.CutAfterSending(all, finds)
			return list[0].Order.ID(), l.Create(t.Context(), list)[0].Err
		}, wantVersion(1)},
		{"a change", func(t *testing.T, l *lossy) (order.ID, error) {
			t.Helper()
			id := l.one(t)
			l.network.CutAfterSending(all, updates)
			_, err := l.Change(t.Context(), id, mine(), now, note("mine"))
			return id, err
		}, wantVersion(2)},
		{"a change, and who has looked for it", func(t *testing.T, l *lossy) (order.ID, error) {
			t.Helper()
			id := l.one(t)
			_, err := l.Change(t.Context(), id, mine(), now, func(o *order.Order) error {
				l.network.CutAfterSending(2, updates)
				l.network.CutAfterSending(all, finds)
				return note("mine")(o)
			})
			return id, err
		}, wantVersion(2)},
		{"a skip", func(t *testing.T, l *lossy) (order.ID, error) {
			t.Helper()
			id := l.parked(t)
			l.network.CutAfterSending(all, updates)
			return id, l.Skip(t.Context(), id, "mail", now)
		}, func(t *testing.T, l *lossy, _ order.ID) {
			t.Helper()
			l.wantWaiting(t, delivery.StateParked)
			l.wantWaiting(t, delivery.StateWaiting)
		}},
		{"a redrive", func(t *testing.T, l *lossy) (order.ID, error) {
			t.Helper()
			id := l.parked(t)
			l.network.CutAfterSending(all, updates)
			return id, l.Redrive(t.Context(), id, "mail", now)
		}, func(t *testing.T, l *lossy, _ order.ID) {
			t.Helper()
			l.wantWaiting(t, delivery.StateWaiting, "1 0")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLossy(t, timeout)
			began := time.Now()
			id, err := tt.call(t, l)
			wantUnknown(t, tt.name, err)
			if took := time.Since(began); took > 3*timeout {
				t.Errorf("it took %v to say so", took)
			}
			tt.want(t, l, id)
		})
	}
}

func wantVersion(version int) func(*testing.T, *lossy, order.ID) {
	return func(t *testing.T, l *lossy, id order.ID) {
		t.Helper()
		if o, err := l.witness.Get(t.Context(), id); err != nil || o.Version() != version {
			t.Errorf("the order is %v, %v, want version %d", o, err, version)
		}
	}
}
