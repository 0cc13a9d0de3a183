package receiving_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

var discard = slog.New(slog.DiscardHandler)

// shop has orders, and a service that applies messages to them.
type shop struct {
	orders  *ordering.Service
	service *receiving.Service
	letters letters
}

func newShop(t testing.TB, settings ...func(*receiving.Config)) *shop {
	t.Helper()
	s := new(shop)
	s.orders = ordering.New(ordering.Config{
		Store: memory.New().Open(), Teller: delivery.Later(nil), Now: time.Now, DefaultCurrency: "EUR",
	})
	c := receiving.Config{Orders: s.orders, DeadLetters: &s.letters}
	for _, set := range settings {
		set(&c)
	}
	s.service = receiving.New(c)
	return s
}

// place places an order of 25.00 and moves it through statuses.
func (s *shop) place(t testing.TB, through ...order.Status) order.ID {
	t.Helper()
	placed, err := s.orders.Place(t.Context(), ordering.Caller{Subject: "test"}, ordering.Place{Draft: order.Draft{
		CustomerID: "c-1", Items: []order.DraftItem{{SKU: "TEA", Quantity: 2, UnitPrice: "12.50"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range through {
		if _, err := s.orders.Change(t.Context(), ordering.Caller{}, ordering.Change{ID: placed.Order.ID(), Status: status}); err != nil {
			t.Fatal(err)
		}
	}
	return placed.Order.ID()
}

func (s *shop) order(t testing.TB, id order.ID) *order.Order {
	t.Helper()
	o, err := s.orders.Read(t.Context(), ordering.Caller{}, id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// command is a plain command.
func command(id string, kind order.ReportType, of order.ID) []byte {
	return []byte(`{"id":"` + id + `","type":"` + string(kind) + `","orderId":"` + of.String() + `"}`)
}

// letters keeps what is set aside.
type letters struct {
	mu   sync.Mutex
	away error
	all  []letter
}

type letter struct {
	receiving.Message
	why receiving.Reason
}

// Send implements receiving.DeadLetters.
func (l *letters) Send(_ context.Context, m receiving.Message, why receiving.Reason) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away == nil {
		l.all = append(l.all, letter{m, why})
	}
	return l.away
}

func (l *letters) codes() (codes []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, letter := range l.all {
		codes = append(codes, letter.why.Code)
	}
	slices.Sort(codes)
	return codes
}

// queue is a queue in memory that does what SQS does.
type queue struct {
	mu       sync.Mutex
	messages []*queued
	receipts int
	polls    int           // calls of Receive
	largest  int           // that was asked for at once
	away     error         // of every call
	failing  map[int]bool  // deletions, by number, that fail though their call does not
	deletes  int           // entries so far
	changed  chan struct{} // is closed when a message comes to be there
}

type queued struct {
	receiving.Message
	receipt string
	until   time.Time // hidden
}

var errAway = fault.New(fault.Unavailable, "away", "it is away")

func newQueue() *queue { return &queue{changed: make(chan struct{})} }

// send puts messages into the queue, all of one group.
func (q *queue) send(group string, bodies ...[]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, body := range bodies {
		id := "m-" + strconv.Itoa(len(q.messages))
		q.messages = append(q.messages, &queued{Message: receiving.Message{ID: id, Body: body, Group: group, SentAt: time.Now()}})
	}
	close(q.changed)
	q.changed = make(chan struct{})
}

// Receive implements receiving.Queue. It waits up to 20 seconds for the first message.
func (q *queue) Receive(ctx context.Context, most int, hide time.Duration) ([]receiving.Received, error) {
	q.mu.Lock()
	q.polls, q.largest = q.polls+1, max(q.largest, most)
	away := q.away
	q.mu.Unlock()
	if away != nil {
		return nil, away
	}
	for begun := time.Now(); ; {
		got, next, changed := q.take(most, hide)
		wait := min(20*time.Second-time.Since(begun), next)
		if len(got) > 0 || wait <= 0 {
			return got, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		case <-changed:
			timer.Stop()
		}
	}
}

// take takes what is there now, and says how long it is until there may be more.
func (q *queue) take(most int, hide time.Duration) (got []receiving.Received, next time.Duration, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	next = time.Hour
	blocked := map[string]bool{}
	now := time.Now()
	for _, m := range q.messages {
		if left := m.until.Sub(now); left > 0 {
			blocked[m.Group], next = m.Group != "", min(next, left)
		}
	}
	for _, m := range q.messages {
		if len(got) < most && !m.until.After(now) && !blocked[m.Group] {
			q.receipts++
			m.Receives, m.receipt, m.until = m.Receives+1, strconv.Itoa(q.receipts), now.Add(hide)
			got = append(got, receiving.Received{Message: m.Message, Receipt: m.receipt})
		}
	}
	return got, next, q.changed
}

// find returns the place of a message in hand, or -1.
func (q *queue) find(receipt string) int {
	return slices.IndexFunc(q.messages, func(m *queued) bool { return m.receipt == receipt && m.until.After(time.Now()) })
}

// Delete implements receiving.Queue.
func (q *queue) Delete(_ context.Context, receipts []string) []error {
	q.mu.Lock()
	defer q.mu.Unlock()
	errs := make([]error, len(receipts))
	for i, receipt := range receipts {
		q.deletes++
		switch at := q.find(receipt); {
		case q.failing[q.deletes]:
			errs[i] = errors.New("this entry failed")
		case at < 0:
			errs[i] = errors.New("it is not in hand")
		default:
			q.messages = slices.Delete(q.messages, at, at+1)
		}
	}
	return errs
}

// Hide implements receiving.Queue.
func (q *queue) Hide(_ context.Context, messages []receiving.Hidden) []error {
	q.mu.Lock()
	defer q.mu.Unlock()
	errs := make([]error, len(messages))
	for i, m := range messages {
		at := q.find(m.Receipt)
		if at < 0 {
			errs[i] = errors.New("it is not in hand")
			continue
		}
		q.messages[at].until = time.Now().Add(m.For)
	}
	close(q.changed)
	q.changed = make(chan struct{})
	return errs
}

func (q *queue) left() []receiving.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []receiving.Message
	for _, m := range q.messages {
		all = append(all, m.Message)
	}
	return all
}

func (q *queue) looks() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.polls
}

func (q *queue) setAway(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.away = err
}
