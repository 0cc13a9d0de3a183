package storetest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// testCopy is about orders that move from one place to another, with all that is kept of them.
func testCopy(t *testing.T, h Harness) {
	t.Run("every field survives", func(t *testing.T) { testCopyFields(t, h) })
	t.Run("what was copied goes on", func(t *testing.T) { testCopyGoesOn(t, h) })
	t.Run("large orders and long histories", func(t *testing.T) { testCopyLarge(t, h) })
	t.Run("a lease stays behind", func(t *testing.T) { testCopyLease(t, h) })
	t.Run("a record is all of one moment", func(t *testing.T) { testCopyMoment(t, h) })
	testCopyPages(t, h)
	testCopyAnswers(t, h)
	testCopyDamage(t, h)
}

func testCopyFields(t *testing.T, h Harness) {
	from, to := newRoom(t, h), newRoom(t, h)
	made := goldenOrder(t, 1)
	from.create(t, made, held(at(time.Minute), "mail", "ship", "bill"))
	from.change(t, made.ID(), told("mail", "ship", "bill"), at(time.Hour), become(golden(made), time.Hour))
	from.settle(t,
		delivery.Settlement{Order: made.ID(), Subscriber: "mail", Owner: "me", Told: 1, Error: "busy \u00e9", Attempts: 3, RetryAt: at(2 * time.Hour)},
		delivery.Settlement{Order: made.ID(), Subscriber: "ship", Owner: "me", Error: "gone", Attempts: 9},
		delivery.Settlement{Order: made.ID(), Subscriber: "bill", Owner: "me", Told: 2},
	)
	old := sample(t, 2, func(d *order.Draft) {
		d.PlacedAt, d.Reference, d.Metadata = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), "", nil
	})
	from.create(t, old, nobody())
	for i, status := range []order.Status{order.StatusPaid, order.StatusShipped, order.StatusDelivered} {
		from.change(t, old.ID(), told("mail"), at(time.Minute), moveTo(status, i, time.Minute))
	}
	from.fill(t, sample(t, 3), sample(t, 4, func(d *order.Draft) { d.CustomerID = "c-2" }))
	from.change(t, idOf(4), nobody(), at(time.Minute), moveTo(order.StatusCanceled, 9, time.Minute))
	from.change(t, idOf(3), nobody(), at(time.Minute), func(o *order.Order) error {
		o.Remember(order.KeyedID("tester", "change", "k"), "00112233445566778899aabbccddeeff")
		return nil
	})

	from.copyTo(t, to)
	if n, err := to.CountRecords(t.Context()); err != nil || n != 4 {
		t.Errorf("CountRecords = %d, %v, want 4", n, err)
	}
	for _, state := range []delivery.State{delivery.StateWaiting, delivery.StateParked} {
		if diff := cmp.Diff(bySubscriber(from.deliveries(t, state, 10)), bySubscriber(to.deliveries(t, state, 10)), same()); diff != "" {
			t.Errorf("what is %s differs (-want +got):\n%s", state, diff)
		}
	}
	for _, q := range []ordering.Query{
		{Limit: 10},
		{Status: order.StatusDelivered, Limit: 10},
		{PaymentStatus: order.PaymentStatusPaid, Limit: 10},
		{FulfillmentStatus: order.FulfillmentStatusUnfulfilled, Limit: 10},
		{CustomerID: "c-2", Limit: 10},
		{Reference: "A-17", Limit: 10},
		{PlacedBefore: base, Limit: 10},
	} {
		wantIDs(t, fmt.Sprintf("List %+v", q), to.list(t, q), from.list(t, q))
	}
}

// testCopyGoesOn checks that nothing of the store's own is missing of what was copied.
func testCopyGoesOn(t *testing.T, h Harness) {
	from, to := newRoom(t, h), newRoom(t, h)
	o := sample(t, 1)
	from.create(t, o, held(at(time.Minute), "mail", "ship"))
	from.settle(t, delivery.Settlement{Order: o.ID(), Subscriber: "ship", Owner: "me", Error: "gone", Attempts: 9})
	from.copyTo(t, to)

	repeat := to.Create(t.Context(), []ordering.NewOrder{{Order: sample(t, 1), Handover: told("mail")}})[0]
	if repeat.Err != nil {
		t.Fatalf("Create of what was copied: %v", repeat.Err)
	}
	wantOrder(t, "Existing", repeat.Existing, o)
	changed := to.change(t, o.ID(), told("mail"), at(time.Hour), moveTo(order.StatusPaid, 1, time.Hour))
	if got := to.events(t, o.ID()); len(got) != 1+len(changed.Order.Events()) {
		t.Errorf("%d events after a change, want the one that was copied and %d", len(got), len(changed.Order.Events()))
	}
	if err := to.Redrive(t.Context(), o.ID(), "ship", at(time.Hour)); err != nil {
		t.Errorf("Redrive of what was parked: %v", err)
	}
	if tasks := to.claim(t, at(time.Hour), "mail", "ship"); len(tasks) != 2 || len(tasks[0].Events) != len(to.events(t, o.ID())) {
		t.Errorf("Claim = %+v, want mail and ship, with every event", tasks)
	}
}

func testCopyLarge(t *testing.T, h Harness) {
	from, to := newRoom(t, h), newRoom(t, h)
	long := sample(t, 1)
	from.create(t, long, told("mail"))
	from.change(t, long.ID(), told("mail"), at(time.Hour), setMany(order.MaxEvents-1, "n", time.Hour))
	wide := sample(t, 2, func(d *order.Draft) {
		d.Items = make([]order.DraftItem, order.MaxLines)
		for i := range d.Items {
			d.Items[i] = order.DraftItem{SKU: fmt.Sprintf("%0*d", order.MaxSKU, i), Quantity: 1, UnitPrice: "0.000001"}
		}
	})
	from.create(t, wide, nobody())
	from.fill(t, sample(t, 3))
	from.copyTo(t, to)
	if n := len(to.events(t, long.ID())); n != order.MaxEvents {
		t.Errorf("%d events were copied, want %d", n, order.MaxEvents)
	}
}

// testCopyLease has the copy made by the application, whose rule it is.
func testCopyLease(t *testing.T, h Harness) {
	from, to := newRoom(t, h), newRoom(t, h)
	from.create(t, sample(t, 1), held(at(time.Hour), "mail"))
	for _, want := range []copying.Summary{{Created: 1}, {Existing: 1}} {
		if got, err := copying.Run(t.Context(), copying.Options{}, from, to); err != nil || got != want {
			t.Fatalf("Run = %+v, %v, want %+v", got, err, want)
		}
	}
	want := []delivery.Delivery{{
		Order: idOf(1), Sequence: 1, State: delivery.StateWaiting, Track: delivery.Track{Subscriber: "mail", DueAt: at(time.Hour)},
	}}
	if diff := cmp.Diff(want, to.deliveries(t, delivery.StateWaiting, 10), same()); diff != "" {
		t.Errorf("what waits differs (-want +got):\n%s", diff)
	}
	to.wantNoClaim(t, "while the lease would last", at(time.Hour-time.Millisecond), "mail")
	wantTask(t, "when it would have ended", to.claim(t, at(time.Hour), "mail"), sample(t, 1), sample(t, 1).Events())
	settled := from.settle(t, delivery.Settlement{Order: idOf(1), Subscriber: "mail", Owner: "me", Told: 1})
	if settled[0].Lost {
		t.Error("the copy has taken the lease away from its owner")
	}
}

// testCopyMoment reads records while one of them changes.
func testCopyMoment(t *testing.T, h Harness) {
	const changes = 50
	from := newRoom(t, h)
	from.fill(t, sample(t, 1))
	atOnce(2, func(who int) {
		for i := range changes {
			if who == 0 {
				from.change(t, idOf(1), told("mail"), at(time.Second), set("n", strconv.Itoa(i), time.Second))
				continue
			}
			page := from.page(t, copying.Range{Limit: 1, Bytes: 1})
			if len(page.Records) != 1 {
				t.Errorf("a page has %d records, want 1", len(page.Records))
				return
			}
			checkWhole(t, page.Records[0].Order, page.Records[0].Events)
		}
	})
}

// page reads one page of records.
func (r *room) page(t *testing.T, wanted copying.Range) copying.Page {
	t.Helper()
	page, err := r.Records(t.Context(), wanted)
	if err != nil {
		t.Fatalf("Records %+v: %v", wanted, err)
	}
	if len(page.Records) > wanted.Limit {
		t.Fatalf("Records %+v returned %d", wanted, len(page.Records))
	}
	return page
}

// records reads all records, by pages of the given bounds.
func (r *room) records(t *testing.T, limit, bytes int) []copying.Record {
	t.Helper()
	var all []copying.Record
	wanted := copying.Range{Limit: limit, Bytes: bytes}
	for {
		page := r.page(t, wanted)
		all = append(all, page.Records...)
		if page.Next.IsZero() {
			return all
		}
		if page.Next.Compare(wanted.After) <= 0 {
			t.Fatalf("Records %+v does not come on: its next page is after %s", wanted, page.Next)
		}
		wanted.After = page.Next
	}
}

// insert inserts records, which must work.
func (r *room) insert(t *testing.T, records ...copying.Record) []copying.Inserted {
	t.Helper()
	answers := r.InsertRecords(t.Context(), records)
	if len(answers) != len(records) {
		t.Fatalf("InsertRecords of %d records = %+v", len(records), answers)
	}
	for i, a := range answers {
		if a.Err != nil {
			t.Fatalf("InsertRecords: record %d: %v", i, a.Err)
		}
	}
	return answers
}

// copyTo copies everything to another room, which must be empty, and compares.
func (r *room) copyTo(t *testing.T, to *room) {
	t.Helper()
	records := r.records(t, 2, math.MaxInt)
	for i, a := range to.insert(t, records...) {
		if a != (copying.Inserted{}) {
			t.Errorf("record %d is answered with %+v, want it inserted", i, a)
		}
	}
	wantRecords(t, "the copy", to.records(t, 100, math.MaxInt), records)
	for i := range records {
		o := records[i].Order
		wantOrder(t, "Get of the copy", to.get(t, o.ID()), r.get(t, o.ID()))
		wantEvents(t, "Events of the copy", to.events(t, o.ID()), r.events(t, o.ID()))
	}
}

// wantRecords compares records with what is wanted, in the same order.
func wantRecords(t *testing.T, what string, got, want []copying.Record) {
	t.Helper()
	if diff := cmp.Diff(stored(want), stored(got), same()); diff != "" {
		t.Errorf("%s: the records differ (-want +got):\n%s", what, diff)
	}
}

// storedRecord is a record that is easy to compare.
type storedRecord struct {
	Order  order.Snapshot
	Events []order.Event
	Tracks []delivery.Track
}

func stored(records []copying.Record) []storedRecord {
	all := make([]storedRecord, len(records))
	for i, r := range records {
		tracks := slices.SortedFunc(slices.Values(r.Tracks), func(a, b delivery.Track) int {
			return strings.Compare(a.Subscriber, b.Subscriber)
		})
		all[i] = storedRecord{r.Order.Snapshot(), r.Events, tracks}
	}
	return all
}
