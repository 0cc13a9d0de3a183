package ordering_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

var start = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// teller records what it was offered and given.
type teller struct {
	open     int
	accepted []string
}

func (t *teller) Offer(now time.Time) delivery.Handover {
	t.open++
	return delivery.Handover{Subscribers: []string{"mail"}, Owner: "me", Until: now.Add(time.Minute)}
}

func (t *teller) Accept(_ delivery.Handover, o *order.Order, events []order.Event, leased []delivery.Track) {
	t.open--
	for _, e := range events {
		t.accepted = append(t.accepted, fmt.Sprintf("%s %d leased %d", e.Type, o.Version(), len(leased)))
	}
}

func (t *teller) Decline(delivery.Handover) { t.open-- }

type bench struct {
	*ordering.Service
	store  *memory.Store
	teller *teller
	now    time.Time
}

func newBench(t testing.TB) *bench {
	t.Helper()
	place := memory.New()
	b := &bench{store: place.Open(), teller: new(teller), now: start}
	b.Service = ordering.New(ordering.Config{
		Store: b.store, Teller: b.teller, DefaultCurrency: "EUR",
		Now: func() time.Time { b.now = b.now.Add(time.Millisecond); return b.now },
	})
	t.Cleanup(func() {
		if b.teller.open != 0 {
			t.Errorf("%d offers were neither accepted nor declined", b.teller.open)
		}
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

var (
	anna  = ordering.Caller{Subject: "anna"}
	berta = ordering.Caller{Subject: "berta"}
)

func draft(sku string) order.Draft {
	return order.Draft{CustomerID: "c-1", Items: []order.DraftItem{{SKU: sku, Quantity: 2, UnitPrice: "12.50"}}}
}

func (b *bench) place(t testing.TB, caller ordering.Caller, key string) ordering.Placed {
	t.Helper()
	placed, err := b.Place(t.Context(), caller, ordering.Place{Draft: draft("TEA"), IdempotencyKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return placed
}

func TestPlace(t *testing.T) {
	b := newBench(t)
	placed := b.place(t, anna, "")
	s := placed.Order.Snapshot()
	if placed.Replayed || s.Currency.Code() != "EUR" || s.Origin != "" || !s.PlacedAt.Equal(s.CreatedAt) {
		t.Errorf("placed %+v", s)
	}
	again := b.place(t, anna, "")
	if again.Order.ID() == placed.Order.ID() {
		t.Error("two requests without a key made one order")
	}
	if placed.Order.ID().Compare(again.Order.ID()) >= 0 {
		t.Error("ids are not in the order in which they were made")
	}
	want := []string{"OrderCreated 1 leased 1", "OrderCreated 1 leased 1"}
	if diff := cmp.Diff(want, b.teller.accepted); diff != "" {
		t.Errorf("handed to the teller (-want +got):\n%s", diff)
	}
}

func TestPlaceUnderAKey(t *testing.T) {
	b := newBench(t)
	first := b.place(t, anna, "k-1")
	again := b.place(t, anna, "k-1")
	if !again.Replayed || again.Order.ID() != first.Order.ID() {
		t.Errorf("the repeat: replayed %v, order %s, want %s", again.Replayed, again.Order.ID(), first.Order.ID())
	}
	if other := b.place(t, berta, "k-1"); other.Replayed {
		t.Error("another caller's key is taken for the same")
	}
	_, err := b.Place(t.Context(), anna, ordering.Place{Draft: draft("CUP"), IdempotencyKey: "k-1"})
	if !errors.Is(err, ordering.ErrKeyReused) {
		t.Errorf("the key with another draft: %v", err)
	}
	for _, key := range []string{strings.Repeat("k", 256), "a\nb", "é"} {
		_, err := b.Place(t.Context(), anna, ordering.Place{Draft: draft("TEA"), IdempotencyKey: key})
		if fault.Of(err).Code != "idempotency_key_invalid" {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

func TestPlaceBatchAnswersEachInOrder(t *testing.T) {
	b := newBench(t)
	bad := draft("TEA")
	bad.CustomerID = ""
	answers := b.PlaceBatch(t.Context(), anna, []ordering.Place{
		{Draft: draft("A"), IdempotencyKey: "1"},
		{Draft: bad},
		{Draft: draft("A"), IdempotencyKey: "1"},
		{Draft: draft("B"), IdempotencyKey: "1"},
		{Draft: draft("C"), AsHistory: true},
	})
	var got []string
	for _, a := range answers {
		switch {
		case a.Err != nil:
			got = append(got, fault.Of(a.Err).Code)
		case a.Replayed:
			got = append(got, "replayed")
		default:
			got = append(got, a.Order.View().Lines[0].SKU)
		}
	}
	want := []string{"A", "validation_failed", "replayed", "idempotency_key_reused", "C"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"OrderCreated 1 leased 1"}, b.teller.accepted); diff != "" {
		t.Errorf("handed to the teller, history left out (-want +got):\n%s", diff)
	}
}

func TestChange(t *testing.T) {
	b := newBench(t)
	id := b.place(t, anna, "").Order.ID()
	change := func(c ordering.Change) (ordering.Revised, error) {
		c.ID = id
		return b.Change(t.Context(), anna, c)
	}
	paid, err := change(ordering.Change{Status: order.StatusPaid, IdempotencyKey: "pay"})
	if err != nil || paid.Order.Version() != 2 {
		t.Fatalf("pay: %v", err)
	}
	replay, err := change(ordering.Change{Status: order.StatusPaid, IdempotencyKey: "pay"})
	if err != nil || !replay.Replayed || replay.Order.Version() != 2 {
		t.Errorf("the repeat: %+v, %v", replay, err)
	}
	if _, err := change(ordering.Change{Status: order.StatusCanceled, IdempotencyKey: "pay"}); !errors.Is(err, ordering.ErrKeyReused) {
		t.Errorf("the key with another change: %v", err)
	}
	if _, err := change(ordering.Change{Status: order.StatusPaid, IdempotencyKey: "again"}); err != nil {
		t.Errorf("what the order is already: %v", err)
	}
	if _, err := change(ordering.Change{Status: order.StatusCanceled, IdempotencyKey: "again"}); !errors.Is(err, ordering.ErrKeyReused) {
		t.Errorf("the key of a change that changed nothing, with another: %v", err)
	}
	same, err := change(ordering.Change{Status: order.StatusPaid})
	if err != nil || same.Order.Version() != 2 {
		t.Errorf("the status it has already: %+v, %v", same, err)
	}
	if _, err := change(ordering.Change{Status: order.StatusShipped, IfVersions: []int{1}}); fault.KindOf(err) != fault.Stale {
		t.Errorf("from a stale version: %v", err)
	}
	note := "fragile"
	both, err := change(ordering.Change{Status: order.StatusShipped, Metadata: map[string]*string{"note": &note}, IfVersions: []int{1, 2}})
	if err != nil || both.Order.Version() != 3 || both.Order.View().Metadata["note"] != note {
		t.Errorf("status and metadata are one change: %+v, %v", both, err)
	}
	if _, err := b.Change(t.Context(), anna, ordering.Change{ID: order.ID{1}, Status: order.StatusPaid}); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("an unknown order: %v", err)
	}
}

// TestPagesOfLargeOrdersAreShorter goes through orders of which a few fill a page.
func TestPagesOfLargeOrdersAreShorter(t *testing.T) {
	b := newBench(t)
	const orders = 12
	for range orders {
		large := draft("TEA")
		large.Items = slices.Repeat(large.Items, order.MaxLines)
		if _, err := b.Place(t.Context(), anna, ordering.Place{Draft: large}); err != nil {
			t.Fatal(err)
		}
	}
	seen, pages := make(map[order.ID]bool), 0
	for q := (ordering.Query{Limit: ordering.MaxLimit}); ; pages++ {
		page, err := b.List(t.Context(), anna, q)
		if err != nil {
			t.Fatal(err)
		}
		weight := 0
		for _, o := range page.Orders {
			seen[o.ID()] = true
			weight += o.View().Weight()
		}
		if last := page.Orders[len(page.Orders)-1].View().Weight(); weight-last >= ordering.MaxPageWeight {
			t.Errorf("a page of %d orders weighs %d bytes", len(page.Orders), weight)
		}
		if q.After = page.Next; q.After.IsZero() {
			break
		}
	}
	if len(seen) != orders || pages == 0 {
		t.Errorf("%d orders on %d pages", len(seen), pages+1)
	}
}

func TestListAndTimeline(t *testing.T) {
	b := newBench(t)
	var ids []string
	for range 5 {
		ids = append([]string{b.place(t, anna, "").Order.ID().String()}, ids...)
	}
	var got []string
	q := ordering.Query{Limit: 2}
	for pages := 1; ; pages++ {
		page, err := b.List(t.Context(), anna, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Orders {
			got = append(got, o.ID().String())
		}
		if page.Next.IsZero() {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
		if q.After, err = ordering.ParseCursor(page.Next.String()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("newest first (-want +got):\n%s", diff)
	}
	all := 0
	for _, err := range b.All(t.Context(), anna, ordering.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all++
	}
	if all != 5 {
		t.Errorf("All yields %d orders", all)
	}
	for _, limit := range []int{0, -1, ordering.MaxLimit + 1} {
		if _, err := b.List(t.Context(), anna, ordering.Query{Limit: limit}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	id, err := order.ParseID(ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, events, err := b.Timeline(t.Context(), anna, id); err != nil || len(events) != 1 {
		t.Errorf("timeline: %v, %v", events, err)
	}
}

func TestPlaceBatchRefusesTooManyWhole(t *testing.T) {
	b := newBench(t)
	batch := make([]ordering.Place, ordering.MaxBatch+1)
	for i := range batch {
		batch[i] = ordering.Place{Draft: draft("TEA")}
	}
	for i, a := range b.PlaceBatch(t.Context(), anna, batch) {
		if !errors.Is(a.Err, ordering.ErrBatchTooLarge) || fault.KindOf(a.Err) != fault.TooLarge || a.Order != nil {
			t.Fatalf("order %d is answered with %v, %v", i, a.Order, a.Err)
		}
	}
	if page, err := b.List(t.Context(), anna, ordering.Query{Limit: 1}); err != nil || len(page.Orders) != 0 {
		t.Errorf("there are orders: %v, %v", page.Orders, err)
	}
	for i, a := range b.PlaceBatch(t.Context(), anna, batch[1:]) {
		if a.Err != nil {
			t.Fatalf("order %d of as many as are allowed: %v", i, a.Err)
		}
	}
}

func TestAllEndsAtTheFirstError(t *testing.T) {
	b := newBench(t)
	b.place(t, anna, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for o, err := range b.All(ctx, anna, ordering.Query{}) {
		if err == nil {
			t.Errorf("an order for a caller who is gone: %v", o.ID())
		}
	}
}

// FuzzCursor holds that whatever text is sent, a cursor is either refused or means one place.
func FuzzCursor(f *testing.F) {
	f.Add(ordering.Cursor{CreatedAt: start, ID: order.ID{1}}.String())
	f.Add("")
	f.Add("AQ")
	f.Add("AQAA000\n000000000000000000000")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ordering.ParseCursor(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("ParseCursor(%q): %v", text, err)
			}
			return
		}
		if c.String() != text {
			t.Fatalf("ParseCursor(%q) is written %q", text, c.String())
		}
	})
}
