package mongo_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/test/mongodb"
)

// begun is when the FastAPI service made its first order in these tests.
var begun = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// now is when this service finds them.
var now = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// logged is what a store has said.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// slowServer are warnings that are no news of documents: of a server that took too long to answer at the start, or to make an index.
var slowServer = []string{"MongoDB can't be reached;", "an index can't be made;", "indexes can't be made yet"}

// count is how many warnings have the words, besides those of a slow server.
func (l *logged) count(words string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.text.String()) {
		slow := slices.ContainsFunc(slowServer, func(told string) bool { return strings.Contains(line, told) })
		if strings.Contains(line, "level=WARN") && strings.Contains(line, words) && !slow {
			n++
		}
	}
	return n
}

// history is a database with documents of the FastAPI service.
type history struct {
	*mongo.Store
	orders *driver.Collection
	log    *logged
}

func newHistory(t *testing.T, documents ...bson.D) *history {
	t.Helper()
	server := mongodb.Need(t)
	database := server.Database(t)
	h := &history{orders: database.Collection(mongo.Collection), log: new(logged)}
	if len(documents) > 0 {
		if _, err := h.orders.InsertMany(t.Context(), documents); err != nil {
			t.Fatal(err)
		}
	}
	h.Store = h.open(t)
	return h
}

// open opens one more store, as another process would.
func (h *history) open(t *testing.T) *mongo.Store {
	t.Helper()
	return h.openAt(t, mongodb.Need(t).URI, 5*time.Second)
}

func (h *history) openAt(t *testing.T, uri string, timeout time.Duration) *mongo.Store {
	t.Helper()
	store, err := mongo.Open(t.Context(), mongo.Config{
		Client: options.Client().ApplyURI(uri), Timeout: timeout, Database: h.orders.Database().Name(),
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return store
}

// old is the id of the n-th order of the FastAPI service.
func old(n int) order.ID {
	return order.TimedID(begun.Add(time.Duration(n)*time.Minute), [8]byte{6: byte(n >> 8), 7: byte(n)}) //nolint:gosec // small
}

// kept is the n-th document of the FastAPI service; changes set or, with nil, take away members.
func kept(n int, status order.Status, changes ...bson.E) bson.D {
	made := begun.Add(time.Duration(n) * time.Minute)
	d := bson.D{
		{Key: "_id", Value: bson.ObjectID(old(n))},
		{Key: "customer_id", Value: fmt.Sprintf("c-%d", n%3)},
		{Key: "items", Value: bson.A{
			bson.D{{Key: "sku", Value: "TEA"}, {Key: "quantity", Value: 2}, {Key: "unit_price", Value: 12.5}},
			bson.D{{Key: "sku", Value: "CUP"}, {Key: "quantity", Value: 1}, {Key: "unit_price", Value: 0.1}},
		}},
		{Key: "status", Value: status},
		{Key: "created_at", Value: made},
		{Key: "updated_at", Value: made.Add(time.Hour)},
	}
	for _, c := range changes {
		for i := range d {
			if d[i].Key == c.Key && c.Value != nil {
				d[i].Value = c.Value
			} else if d[i].Key == c.Key {
				d = append(d[:i], d[i+1:]...)
				break
			}
		}
	}
	return d
}

// price is the items of an order of one line.
func price(value any) bson.E {
	return bson.E{Key: "items", Value: bson.A{bson.D{{Key: "sku", Value: "TEA"}, {Key: "quantity", Value: 1}, {Key: "unit_price", Value: value}}}}
}

// form is what the API shows of an order.
func form(o *order.Order) string { return string(wire.AppendOrder(nil, o)) }

// note is a change that goes through whatever the status.
func note(key string) func(*order.Order) error {
	return func(o *order.Order) error {
		value := "x"
		return o.PatchMetadata(map[string]*string{key: &value}, order.Stamp{Time: now, Actor: "me"})
	}
}

func TestPredecessorsOrderIsRead(t *testing.T) {
	var documents []bson.D
	for i, status := range order.Statuses() {
		documents = append(documents, kept(i, status))
	}
	h := newHistory(t, documents...)
	for i, status := range order.Statuses() {
		o, err := h.Get(t.Context(), old(i))
		if err != nil {
			t.Fatal(err)
		}
		v := o.View()
		if o.Status() != status || o.Version() != 1 || o.Sequence() != 1 || v.Currency.Code() != "USD" || o.Total() != 2510 ||
			!v.CreatedAt.Equal(begun.Add(time.Duration(i)*time.Minute)) || !v.UpdatedAt.Equal(v.CreatedAt.Add(time.Hour)) {
			t.Errorf("a %s order is read as %s", status, form(o))
		}
		events, err := h.Events(t.Context(), old(i), 0, 10)
		if err != nil || len(events) != 1 || events[0].Type != order.EventOrderCreated || events[0].Status != status {
			t.Errorf("the events of a %s order are %+v, %v", status, events, err)
		}
		if events, err := h.Events(t.Context(), old(i), 1, 10); err != nil || len(events) != 0 {
			t.Errorf("behind the first event there are %+v, %v", events, err)
		}
	}
}

// TestPredecessorsOrderIsTold checks that what the FastAPI service did is history, and that a change is
// told from that change on.
func TestPredecessorsOrderIsTold(t *testing.T) {
	h := newHistory(t, kept(1, order.StatusPaid))
	claim := delivery.Claim{Subscribers: []string{"mail"}, Owner: "me", Now: now, Until: now.Add(time.Minute), Limit: 10}
	if tasks, err := h.Claim(t.Context(), claim); err != nil || len(tasks) != 0 {
		t.Errorf("claimed %+v, %v", tasks, err)
	}
	if next, err := h.Next(t.Context(), old(1), "mail"); err != nil || len(next.Events) != 0 {
		t.Errorf("next is %+v, %v", next, err)
	}
	settled, err := h.Settle(t.Context(), []delivery.Settlement{{Order: old(1), Subscriber: "mail", Owner: "me", Told: 1}})
	if err != nil || !settled[0].Lost {
		t.Errorf("settled %+v, %v", settled, err)
	}
	for name, err := range map[string]error{
		"Redrive": h.Redrive(t.Context(), old(1), "mail", now), "Skip": h.Skip(t.Context(), old(1), "mail", now),
	} {
		if fault.Of(err).Code != "delivery_not_found" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, state := range []delivery.State{delivery.StateWaiting, delivery.StateParked} {
		if page, err := h.Deliveries(t.Context(), delivery.Query{State: state, Limit: 10}); err != nil || len(page.Deliveries) != 0 {
			t.Errorf("%s deliveries are %+v, %v", state, page, err)
		}
	}
	changed, err := h.Change(t.Context(), old(1), delivery.Handover{Subscribers: []string{"mail"}}, now, func(o *order.Order) error {
		return o.MoveTo(order.StatusShipped, order.ID{1}, order.Stamp{Time: now, Actor: "me"})
	})
	if err != nil || changed.Order.Version() != 2 {
		t.Fatalf("%+v, %v", changed, err)
	}
	tasks, err := h.Claim(t.Context(), claim)
	if err != nil || len(tasks) != 1 || len(tasks[0].Events) == 0 || tasks[0].Events[0].Sequence != 2 {
		t.Fatalf("claimed %+v, %v", tasks, err)
	}
	events, err := h.Events(t.Context(), old(1), 0, 10)
	if err != nil || len(events) != 4 || events[0].Type != order.EventOrderCreated || events[0].Status != order.StatusPaid {
		t.Errorf("events %+v, %v", events, err)
	}
	var left bson.M
	if err := h.orders.FindOne(t.Context(), bson.D{}).Decode(&left); err != nil || left["items"] != nil || left["form"] == nil {
		t.Errorf("the document is %v, %v", left, err)
	}
}

// TestPredecessorsIDIsTaken checks that no new order takes the place of one of the FastAPI service.
func TestPredecessorsIDIsTaken(t *testing.T) {
	h := newHistory(t, kept(1, order.StatusPaid))
	o, err := order.New(old(1), order.Draft{
		CustomerID: "c", Currency: "USD", Items: []order.DraftItem{{SKU: "A", Quantity: 1, UnitPrice: "1"}},
	}, "", order.Stamp{Time: now})
	if err != nil {
		t.Fatal(err)
	}
	created := h.Create(t.Context(), []ordering.NewOrder{{Order: o}})[0]
	if created.Err != nil || created.Existing == nil || created.Existing.Status() != order.StatusPaid {
		t.Errorf("created %+v", created)
	}
}

func TestPredecessorsPricesAreRounded(t *testing.T) {
	h := newHistory(t, kept(1, order.StatusPaid, price(0.30000000000000004)), kept(2, order.StatusPaid))
	for range 3 {
		if _, err := h.Get(t.Context(), old(1)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.List(t.Context(), ordering.Query{Limit: 10}); err != nil {
			t.Fatal(err)
		}
	}
	if h.log.count("line 1: 0.30000000000000004 to 0.30") != 1 || h.log.count("") != 1 {
		t.Errorf("the log says\n%s", h.log.text.String())
	}
	if _, err := h.Change(t.Context(), old(1), delivery.Handover{}, now, note("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Change(t.Context(), old(1), delivery.Handover{}, now, note("b")); err != nil {
		t.Fatal(err)
	}
	var left struct {
		Rounded []struct {
			Line  int
			Price float64 `bson:"unit_price"`
		}
	}
	err := h.orders.FindOne(t.Context(), bson.D{{Key: "_id", Value: bson.ObjectID(old(1))}}).Decode(&left)
	if err != nil || len(left.Rounded) != 1 || left.Rounded[0].Line != 1 || left.Rounded[0].Price != 0.30000000000000004 {
		t.Errorf("the document keeps %+v, %v", left, err)
	}
}

// TestPredecessorsDocumentIsNoOrder checks what becomes of documents that can't be read as an order.
func TestPredecessorsDocumentIsNoOrder(t *testing.T) {
	documents := []bson.D{
		kept(1, "LOST"), kept(3, order.StatusPaid, price("9.99")), kept(5, order.StatusPaid, bson.E{Key: "items", Value: bson.A{}}),
		kept(7, order.StatusPaid, bson.E{Key: "created_at", Value: "yesterday"}), kept(9, order.StatusPaid, bson.E{Key: "_id", Value: "abc"}),
		kept(11, order.StatusPaid, bson.E{Key: "customer_id"}),
		{{Key: "_id", Value: bson.NewObjectID()}},
		{{Key: "_id", Value: 7}},
	}
	unreadable := len(documents)
	for n := 0; n < 14; n += 2 {
		documents = append(documents, kept(n, order.StatusPaid))
	}
	h := newHistory(t, documents...)
	for range 2 {
		for _, id := range []order.ID{old(1), old(3), old(5), old(7), old(11)} {
			_, err := h.Get(t.Context(), id)
			wantUnconvertible(t, "Get", err, id)
			_, err = h.Events(t.Context(), id, 0, 10)
			wantUnconvertible(t, "Events", err, id)
			_, err = h.Change(t.Context(), id, delivery.Handover{}, now, note("a"))
			wantUnconvertible(t, "Change", err, id)
		}
		for limit := 1; limit < 9; limit++ {
			var got []order.ID
			for q := (ordering.Query{Limit: limit}); ; {
				page, err := h.List(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range page {
					got = append(got, o.ID())
					q.After = ordering.Cursor{CreatedAt: o.View().CreatedAt, ID: o.ID()}
				}
				if len(page) < limit {
					break
				}
			}
			if diff := cmp.Diff([]order.ID{old(12), old(10), old(8), old(6), old(4), old(2), old(0)}, got); diff != "" {
				t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
			}
		}
	}
	if n := h.log.count("left out of lists"); n != unreadable || h.log.count("") != n {
		t.Errorf("%d lines, want one for each of %d documents:\n%s", n, unreadable, h.log.text.String())
	}
}

func wantUnconvertible(t *testing.T, what string, err error, id order.ID) {
	t.Helper()
	f := fault.Of(err)
	if f.Code != "order_not_convertible" || !strings.Contains(f.Message, "orders mongo migrate --dry-run") || !strings.Contains(err.Error(), id.String()) {
		t.Errorf("%s: %v", what, err)
	}
}

// TestPredecessorWritesMeanwhile has the FastAPI service change a document between the reading and the
// writing of a change.
func TestPredecessorWritesMeanwhile(t *testing.T) {
	h := newHistory(t, kept(1, order.StatusPending))
	times := 0
	changed, err := h.Change(t.Context(), old(1), delivery.Handover{}, now, func(o *order.Order) error {
		times++
		if times == 1 {
			predecessorSets(t, h.orders, old(1), order.StatusShipped)
		}
		return note("a")(o)
	})
	if err != nil || times != 2 || changed.Order.Status() != order.StatusShipped {
		t.Fatalf("after %d times: %+v, %v", times, changed, err)
	}
	o, err := h.Get(t.Context(), old(1))
	if err != nil || o.Status() != order.StatusShipped || o.View().Metadata["a"] != "x" || o.Sequence() != 2 {
		t.Fatalf("%+v, %v", o, err)
	}
	// What it writes once the document is this service's is not taken over, and not passed over in silence.
	predecessorSets(t, h.orders, old(1), order.StatusDelivered)
	for range 2 {
		if o, err = h.Get(t.Context(), old(1)); err != nil || o.Status() != order.StatusShipped {
			t.Errorf("%+v, %v", o, err)
		}
	}
	if h.log.count("written=DELIVERED status=SHIPPED") != 1 {
		t.Errorf("the log says\n%s", h.log.text.String())
	}
}

// predecessorSets does what the FastAPI service does to change an order. It reports whether the document
// was still in its own form.
func predecessorSets(t *testing.T, orders *driver.Collection, id order.ID, status order.Status) (own bool) {
	t.Helper()
	update := bson.D{{Key: "$set", Value: bson.D{{Key: "status", Value: status}, {Key: "updated_at", Value: time.Now()}}}}
	before, err := orders.FindOneAndUpdate(t.Context(), bson.D{{Key: "_id", Value: bson.ObjectID(id)}}, update).Raw()
	if err != nil {
		t.Error(err)
		return false
	}
	return before.Lookup("form").IsZero()
}

// TestPredecessorsOrderIsChangedByMany has several processes change one document at the same time.
func TestPredecessorsOrderIsChangedByMany(t *testing.T) {
	h := newHistory(t, kept(1, order.StatusPending))
	stores := []*mongo.Store{h.Store, h.open(t), h.open(t)}
	const each = 5
	var wg sync.WaitGroup
	for s, store := range stores {
		for i := range each {
			wg.Go(func() {
				if _, err := store.Change(context.WithoutCancel(t.Context()), old(1), delivery.Handover{}, now, note(fmt.Sprint(s, i))); err != nil {
					t.Errorf("Change: %v", err)
				}
			})
		}
	}
	wg.Wait()
	o, err := h.Get(t.Context(), old(1))
	if err != nil || len(o.View().Metadata) != each*len(stores) || o.Version() != 1+each*len(stores) {
		t.Errorf("%s, %v", form(o), err)
	}
	events, err := h.Events(t.Context(), old(1), 0, 100)
	if err != nil || len(events) != o.Sequence() {
		t.Errorf("%d events of %d, %v", len(events), o.Sequence(), err)
	}
}
