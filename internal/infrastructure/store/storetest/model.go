package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// testModel does random things to a store and to a model of it, which must answer alike.
func testModel(t *testing.T, h Harness) {
	rapid.Check(t, func(rt *rapid.T) {
		store, err := h.New(t).Open(t.Context())
		if err != nil {
			rt.Fatalf("open the store: %v", err)
		}
		defer func() {
			if err := store.Close(); err != nil {
				rt.Errorf("Close: %v", err)
			}
		}()
		m := &model{store: store, t: t, now: base, kept: make(map[order.ID]*kept), touched: make(map[order.ID]bool)}
		rt.Repeat(map[string]func(*rapid.T){
			"create":  m.create,
			"change":  m.change,
			"claim":   m.claim,
			"settle":  m.settle,
			"redrive": m.redrive,
			"skip":    m.skip,
			"wait":    m.wait,
			"":        m.check,
		})
		for id := range m.kept {
			m.touched[id] = true
		}
		m.check(rt)
	})
}

// model is what a store should have, and the store.
type model struct {
	store Store
	t     *testing.T
	now   time.Time
	kept  map[order.ID]*kept
	// touched are the orders written since the last check.
	touched map[order.ID]bool
}

// kept is what a store should have of one order.
type kept struct {
	snapshot order.Snapshot
	events   []order.Event
	tracks   delivery.Tracks
}

func drawID(rt *rapid.T) order.ID { return idOf(rapid.IntRange(1, 5).Draw(rt, "id")) }

func drawSubscriber(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"mail", "ship", "bill"}).Draw(rt, "subscriber")
}

func drawSubscribers(rt *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"mail", "ship", "bill"}), 0, 3, rapid.ID).Draw(rt, "subscribers")
}

func drawOwner(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"me", "other"}).Draw(rt, "owner")
}

func drawWait(rt *rapid.T, label string) time.Duration {
	return time.Duration(rapid.IntRange(0, 5).Draw(rt, label)) * 30 * time.Second
}

func (m *model) drawHandover(rt *rapid.T) delivery.Handover {
	h := delivery.Handover{Subscribers: drawSubscribers(rt)}
	switch rapid.IntRange(0, 3).Draw(rt, "kind of handover") {
	case 0:
		h.AsTold = true
	case 1:
	default:
		h.Owner, h.Until = drawOwner(rt), m.now.Add(drawWait(rt, "lease"))
	}
	return h
}

func (m *model) create(rt *rapid.T) {
	d := draft()
	d.CustomerID = rapid.SampledFrom([]string{"c-1", "c-2"}).Draw(rt, "customer")
	o, err := order.New(drawID(rt), d, "", order.Stamp{Time: m.now})
	if err != nil {
		rt.Fatal(err)
	}
	h := m.drawHandover(rt)
	m.touched[o.ID()] = true
	c := m.store.Create(m.t.Context(), []ordering.NewOrder{{Order: o, Handover: h}})[0]
	if c.Err != nil {
		rt.Fatalf("Create: %v", c.Err)
	}
	if k, ok := m.kept[o.ID()]; ok {
		if c.Existing == nil {
			rt.Fatalf("Create of a taken id inserted it")
		}
		alike(rt, "the existing order", c.Existing.Snapshot(), k.snapshot)
		return
	}
	k := &kept{snapshot: o.Snapshot(), events: slices.Clone(o.Events())}
	m.kept[o.ID()] = k
	alike(rt, "leases", c.Leased, k.tracks.Changed(0, o.Sequence(), h, m.now))
}

func (m *model) change(rt *rapid.T) {
	id, h := drawID(rt), m.drawHandover(rt)
	target := rapid.SampledFrom(order.Statuses()).Draw(rt, "status")
	value := rapid.SampledFrom([]string{"web", "shop", "phone"}).Draw(rt, "channel")
	apply := func(o *order.Order) error {
		s := order.Stamp{Time: m.now}
		if err := o.MoveTo(target, idOf(1_000+o.Version()), s); err != nil {
			return err
		}
		return o.PatchMetadata(map[string]*string{"channel": &value}, s)
	}
	m.touched[id] = true
	got, gotErr := m.store.Change(m.t.Context(), id, h, m.now, apply)
	k, ok := m.kept[id]
	if !ok {
		m.wantFault(rt, gotErr, order.ErrNotFound)
		return
	}
	o := k.order(rt)
	if err := apply(o); err != nil {
		m.wantFault(rt, gotErr, err)
		return
	}
	if gotErr != nil {
		rt.Fatalf("Change: %v", gotErr)
	}
	var leased []delivery.Track
	if o.Changed() {
		before := k.snapshot.Sequence
		k.snapshot, k.events = o.Snapshot(), append(k.events, o.Events()...)
		leased = k.tracks.Changed(before, o.Sequence(), h, m.now)
	}
	alike(rt, "the changed order", got.Order.Snapshot(), k.snapshot)
	alike(rt, "leases", got.Leased, leased)
}

func (m *model) claim(rt *rapid.T) {
	c := delivery.Claim{
		Owner: drawOwner(rt), Subscribers: drawSubscribers(rt),
		Now: m.now, Until: m.now.Add(time.Minute + drawWait(rt, "lease")), Limit: 10,
	}
	var got, want []string
	for {
		tasks, err := m.store.Claim(m.t.Context(), c)
		if err != nil {
			rt.Fatalf("Claim: %v", err)
		}
		for _, task := range tasks {
			got = append(got, describe(task))
		}
		if len(tasks) == 0 {
			break
		}
	}
	for _, k := range m.kept {
		for _, t := range k.tracks.Claim(k.snapshot.Sequence, c) {
			want = append(want, describe(delivery.Task{
				Message:    delivery.Message{Order: k.order(rt), Events: k.events[t.Told:]},
				Subscriber: t.Subscriber, Attempts: t.Attempts,
			}))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	alike(rt, "tasks", got, want)
}

// describe writes all that matters of a task.
func describe(t delivery.Task) string {
	sequences := make([]int, len(t.Events))
	for i, e := range t.Events {
		sequences[i] = e.Sequence
	}
	return fmt.Sprintf("%s at version %d to %s: events %v, %d attempts",
		t.Order.ID(), t.Order.Version(), t.Subscriber, sequences, t.Attempts)
}

func (m *model) settle(rt *rapid.T) {
	settlements := make([]delivery.Settlement, rapid.IntRange(1, 3).Draw(rt, "settlements"))
	for i := range settlements {
		settlements[i] = delivery.Settlement{
			Order: drawID(rt), Subscriber: drawSubscriber(rt), Owner: drawOwner(rt),
			Told: rapid.IntRange(0, 12).Draw(rt, "told"),
		}
		s := &settlements[i]
		switch rapid.IntRange(0, 3).Draw(rt, "outcome") {
		case 0:
			s.Until = m.now.Add(time.Minute)
		case 1:
			s.Error, s.Attempts, s.RetryAt = "busy", 1, m.now.Add(drawWait(rt, "back off"))
		case 2:
			s.Error, s.Attempts = "gone", 5
		case 3:
			s.RetryAt = m.now
		}
	}
	want := make([]delivery.Settled, len(settlements))
	for i, s := range settlements {
		want[i].Lost = true
		if k, ok := m.kept[s.Order]; ok {
			want[i] = k.tracks.Settle(k.snapshot.Sequence, s)
		}
	}
	got, err := m.store.Settle(m.t.Context(), settlements)
	if err != nil {
		rt.Fatalf("Settle: %v", err)
	}
	alike(rt, "Settle", got, want)
}

func (m *model) redrive(rt *rapid.T) {
	m.act(rt, func(id order.ID, s string) error { return m.store.Redrive(m.t.Context(), id, s, m.now) }, delivery.Tracks.Redrive)
}

func (m *model) skip(rt *rapid.T) {
	m.act(rt, func(id order.ID, s string) error { return m.store.Skip(m.t.Context(), id, s, m.now) }, delivery.Tracks.Skip)
}

func (m *model) act(
	rt *rapid.T, actual func(order.ID, string) error,
	model func(delivery.Tracks, int, string, time.Time) error,
) {
	id, subscriber := drawID(rt), drawSubscriber(rt)
	var want error = order.ErrNotFound
	if k, ok := m.kept[id]; ok {
		want = model(k.tracks, k.snapshot.Sequence, subscriber, m.now)
	}
	m.wantFault(rt, actual(id, subscriber), want)
}

func (m *model) wait(rt *rapid.T) { m.now = m.now.Add(drawWait(rt, "wait")) }

// check compares all that can be read, of the orders that may have changed.
func (m *model) check(rt *rapid.T) {
	var deliveries []delivery.Delivery
	for id, k := range m.kept {
		if m.touched[id] {
			m.checkOrder(rt, id, k)
		}
		for _, t := range k.tracks {
			state := delivery.StateWaiting
			if t.Parked {
				state = delivery.StateParked
			}
			if t.Told < k.snapshot.Sequence {
				deliveries = append(deliveries, delivery.Delivery{Order: id, Sequence: t.Told + 1, State: state, Track: t})
			}
		}
	}
	clear(m.touched)
	var listed []delivery.Delivery
	for _, state := range []delivery.State{delivery.StateWaiting, delivery.StateParked} {
		page, err := m.store.Deliveries(m.t.Context(), delivery.Query{State: state, Limit: 100})
		if err != nil || page.Next != "" {
			rt.Fatalf("Deliveries %s = %+v, %v; want one page", state, page, err)
		}
		listed = append(listed, page.Deliveries...)
	}
	for _, list := range [][]delivery.Delivery{deliveries, listed} {
		slices.SortFunc(list, func(a, b delivery.Delivery) int {
			return cmp.Or(a.Order.Compare(b.Order), cmp.Compare(a.Track.Subscriber, b.Track.Subscriber))
		})
	}
	alike(rt, "the deliveries", listed, deliveries)
	m.checkBacklog(rt, deliveries)
	orders, err := m.store.List(m.t.Context(), ordering.Query{CustomerID: "c-1", Status: order.StatusPaid, Limit: 100})
	if err != nil {
		rt.Fatalf("List: %v", err)
	}
	var want []*order.Order
	for _, k := range m.kept {
		if o := k.order(rt); k.snapshot.CustomerID == "c-1" && o.Status() == order.StatusPaid {
			want = append(want, o)
		}
	}
	alike(rt, "the list", idsOf(orders), idsOf(newestFirst(want)))
}

// checkBacklog compares what is counted of deliveries with the deliveries.
func (m *model) checkBacklog(rt *rapid.T, deliveries []delivery.Delivery) {
	want := []delivery.Backlog{{Subscriber: "bill"}, {Subscriber: "mail"}, {Subscriber: "ship"}}
	for _, d := range deliveries {
		b := &want[slices.IndexFunc(want, func(b delivery.Backlog) bool { return b.Subscriber == d.Track.Subscriber })]
		if d.State == delivery.StateParked {
			b.Parked++
			continue
		}
		b.Waiting++
		if since := m.kept[d.Order].events[d.Sequence-1].Time; b.Oldest.IsZero() || since.Before(b.Oldest) {
			b.Oldest = since
		}
	}
	got, err := m.store.Backlog(m.t.Context(), []string{"bill", "mail", "ship"}, 100)
	if err != nil {
		rt.Fatalf("Backlog: %v", err)
	}
	alike(rt, "the backlog", got, want)
}

func (m *model) checkOrder(rt *rapid.T, id order.ID, k *kept) {
	o, err := m.store.Get(m.t.Context(), id)
	if err != nil {
		rt.Fatalf("Get: %v", err)
	}
	alike(rt, "the order", o.Snapshot(), k.snapshot)
	events, err := m.store.Events(m.t.Context(), id, 0, order.MaxEvents)
	if err != nil {
		rt.Fatalf("Events: %v", err)
	}
	alike(rt, "the events", events, k.events)
}

func (k *kept) order(rt *rapid.T) *order.Order {
	o, err := order.Restore(k.snapshot)
	if err != nil {
		rt.Fatal(err)
	}
	o, err = order.Restore(o.Snapshot()) // a copy of its own
	if err != nil {
		rt.Fatal(err)
	}
	return o
}

func alike[T any](rt *rapid.T, what string, got, want T) {
	if diff := gocmp.Diff(want, got, same()); diff != "" {
		rt.Fatalf("%s: differs (-want +got):\n%s", what, diff)
	}
}

func (m *model) wantFault(rt *rapid.T, got, want error) {
	switch {
	case got == nil && want == nil:
	case got == nil || want == nil, fault.Of(got).Code != fault.Of(want).Code:
		rt.Fatalf("the error is %v, want %v", got, want)
	}
}
