package delivery_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

var _ ordering.Teller = (*delivery.Dispatcher)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// process is a service with its dispatcher, on a memory that others may share.
type process struct {
	t          testing.TB
	dispatcher *delivery.Dispatcher
	orders     *ordering.Service
	operations *delivery.Operations
	crash      context.CancelFunc // ends the dispatcher at once
}

// newProcess returns a process that has started. What is zero in c is the default, but for the
// jitter: retries come after three quarters of the doubled wait.
func newProcess(t testing.TB, m *memory.Memory, c delivery.Config) *process {
	t.Helper()
	store := m.Open()
	if c.Store == nil {
		c.Store = store
	}
	c.Jitter = func() float64 { return 0.5 }
	p := &process{t: t, dispatcher: delivery.New(c)}
	p.orders = ordering.New(ordering.Config{Store: store, Teller: p.dispatcher, Now: time.Now, DefaultCurrency: "USD"})
	p.operations = delivery.NewOperations(store, p.dispatcher.Wake, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	p.crash = cancel
	p.dispatcher.Start(ctx)
	t.Cleanup(func() { p.stop() })
	return p
}

func (p *process) stop() {
	p.t.Helper()
	defer p.crash()
	if err := p.dispatcher.Stop(context.Background()); err != nil {
		p.t.Errorf("Stop: %v", err)
	}
}

// place makes an order, whose one event has sequence 1.
func (p *process) place() order.ID {
	p.t.Helper()
	return p.placed(draft())
}

// placed makes an order of a draft.
func (p *process) placed(d order.Draft) order.ID {
	p.t.Helper()
	placed, err := p.orders.Place(context.Background(), ordering.Caller{}, ordering.Place{Draft: d})
	if err != nil {
		p.t.Fatalf("Place: %v", err)
	}
	return placed.Order.ID()
}

func draft() order.Draft {
	return order.Draft{CustomerID: "c-1", Items: []order.DraftItem{{SKU: "TEA", Quantity: 2, UnitPrice: "12.50"}}}
}

// note changes an order, which makes one event.
func (p *process) note(id order.ID, text string) {
	p.t.Helper()
	_, err := p.orders.Change(context.Background(), ordering.Caller{}, ordering.Change{
		ID: id, Metadata: map[string]*string{"note": &text},
	})
	if err != nil {
		p.t.Fatalf("Change: %v", err)
	}
}

// notes changes an order so often.
func (p *process) notes(id order.ID, count int) {
	p.t.Helper()
	for i := range count {
		p.note(id, strconv.Itoa(i))
	}
}

// deliveries lists what waits or is parked, without the dates.
func (p *process) deliveries(state delivery.State) []delivery.Delivery {
	p.t.Helper()
	page, err := p.operations.List(context.Background(), delivery.Query{State: state, Limit: delivery.MaxLimit})
	if err != nil {
		p.t.Fatalf("List: %v", err)
	}
	return page.Deliveries
}

// toldAll fails the test if anything waits or is parked.
func (p *process) toldAll() {
	p.t.Helper()
	left := append(p.deliveries(delivery.StateWaiting), p.deliveries(delivery.StateParked)...)
	if len(left) > 0 {
		p.t.Errorf("%d deliveries are left, want none; the first is %+v", len(left), left[0])
	}
}

// recorder is a subscriber that keeps what it is told, and fails the test if one order is being told
// twice at a time.
type recorder struct {
	t    testing.TB
	name string
	// deliver decides how a call ends; nil: all is told.
	deliver func(ctx context.Context, messages []delivery.Message) []delivery.Result

	mu    sync.Mutex
	busy  map[order.ID]bool
	told  map[order.ID][]int
	calls []time.Time
	sizes []int
	order []order.ID // whose events were told, one after the other
}

func newRecorder(t testing.TB, name string) *recorder {
	t.Helper()
	return &recorder{t: t, name: name, busy: make(map[order.ID]bool), told: make(map[order.ID][]int)}
}

func (r *recorder) Name() string { return r.name }

func (r *recorder) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	r.begin(messages)
	defer r.end(messages)
	if r.deliver == nil {
		results := allTold(messages)
		r.keep(messages, results)
		return results
	}
	results := r.deliver(ctx, messages)
	r.keep(messages, results)
	return results
}

func (r *recorder) begin(messages []delivery.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls, r.sizes = append(r.calls, time.Now()), append(r.sizes, len(messages))
	for _, m := range messages {
		if r.busy[m.Order.ID()] {
			r.t.Errorf("%s: order %s is being told twice at a time", r.name, m.Order.ID())
		}
		r.busy[m.Order.ID()] = true
	}
}

func (r *recorder) end(messages []delivery.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range messages {
		delete(r.busy, m.Order.ID())
	}
}

func (r *recorder) keep(messages []delivery.Message, results []delivery.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range min(len(messages), len(results)) {
		m := messages[i]
		if last := m.Events[len(m.Events)-1]; m.Order.Sequence() < last.Sequence {
			r.t.Errorf("%s: the order has sequence %d, its last event %d", r.name, m.Order.Sequence(), last.Sequence)
		}
		for _, e := range m.Events[:results[i].Told] {
			r.told[m.Order.ID()] = append(r.told[m.Order.ID()], e.Sequence)
			r.order = append(r.order, m.Order.ID())
		}
	}
}

// wantTold fails the test unless exactly the sequences from 1 to last were told, in order.
func (r *recorder) wantTold(id order.ID, last int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var want []int
	for i := range last {
		want = append(want, i+1)
	}
	if diff := cmp.Diff(want, r.told[id]); diff != "" {
		r.t.Errorf("%s was told of order %s (-want +got):\n%s", r.name, id, diff)
	}
}

// wantNoGaps fails the test unless every sequence up to last was told, each for the first time only
// after the one before it.
func (r *recorder) wantNoGaps(id order.ID, last int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	highest := 0
	for _, sequence := range r.told[id] {
		if sequence > highest+1 {
			r.t.Errorf("%s was told %d after %d", r.name, sequence, highest)
		}
		highest = max(highest, sequence)
	}
	if highest != last {
		r.t.Errorf("%s was told up to %d of order %s, want %d", r.name, highest, id, last)
	}
}

func (r *recorder) callTimes() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func allTold(messages []delivery.Message) []delivery.Result {
	results := make([]delivery.Result, len(messages))
	for i := range messages {
		results[i].Told = len(messages[i].Events)
	}
	return results
}

func allFailed(messages []delivery.Message, err error) []delivery.Result {
	results := make([]delivery.Result, len(messages))
	for i := range results {
		results[i].Err = err
	}
	return results
}

// pass lets time go by inside a bubble, and whatever is due by then happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
