package storetest

import (
	"math"
	"testing"
	"time"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// testCopyPages is about the pages in which records come.
func testCopyPages(t *testing.T, h Harness) {
	t.Run("records come once, by id", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 23
		for i := range n { // in an order unlike that of the ids
			r.create(t, sampleAt(t, i*7%n, time.Duration(i)*time.Millisecond), told("mail"))
		}
		for _, limit := range []int{1, 4, n, 100} {
			all := r.records(t, limit, math.MaxInt)
			for i := range all {
				if i < n && all[i].Order.ID() != idOf(i) {
					t.Errorf("with limit %d record %d is order %s, want %s", limit, i, all[i].Order.ID(), idOf(i))
				}
			}
			if len(all) != n {
				t.Errorf("with limit %d there are %d records, want %d", limit, len(all), n)
			}
		}
		if page := r.page(t, copying.Range{After: idOf(n - 1), Limit: 1, Bytes: 1}); len(page.Records) != 0 || !page.Next.IsZero() {
			t.Errorf("after the last there are %+v", page)
		}
	})

	t.Run("an empty place has none", func(t *testing.T) {
		r := newRoom(t, h)
		if got := r.records(t, 10, 10); len(got) != 0 {
			t.Errorf("an empty place has %d records", len(got))
		}
		if n, err := r.CountRecords(t.Context()); err != nil || n != 0 {
			t.Errorf("CountRecords = %d, %v, want 0", n, err)
		}
		if got := r.insert(t); len(got) != 0 {
			t.Errorf("InsertRecords of nothing = %+v", got)
		}
	})

	t.Run("a page ends when it has enough bytes", func(t *testing.T) {
		r := newRoom(t, h)
		r.fill(t, samples(t, 0, 3)...)
		r.change(t, idOf(1), nobody(), at(time.Hour), setMany(1_000, "n", time.Hour))
		if page := r.page(t, copying.Range{Limit: 100, Bytes: 1}); len(page.Records) != 1 {
			t.Errorf("with one byte a page has %d records, want 1", len(page.Records))
		}
		// The two first have more, whatever form they are kept in; the very first has not.
		if page := r.page(t, copying.Range{Limit: 100, Bytes: 50_000}); len(page.Records) != 2 || page.Next != idOf(1) {
			t.Errorf("a page has %d records and goes on after %s, want 2 and %s", len(page.Records), page.Next, idOf(1))
		}
	})

	t.Run("what is made meanwhile moves nothing", func(t *testing.T) {
		r := newRoom(t, h)
		const n = 20
		for i := range n {
			r.fill(t, sample(t, 2*i+1))
		}
		seen := make(map[string]int)
		wanted := copying.Range{Limit: 3, Bytes: math.MaxInt}
		for made := 0; ; made++ {
			page := r.page(t, wanted)
			for i := range page.Records {
				seen[page.Records[i].Order.ID().String()]++
			}
			if page.Next.IsZero() {
				break
			}
			if page.Next.Compare(wanted.After) <= 0 {
				t.Fatalf("Records %+v does not come on: its next page is after %s", wanted, page.Next)
			}
			wanted.After = page.Next
			r.fill(t, sample(t, 2*made), sample(t, 1_000-made)) // behind and ahead
		}
		for i := range n {
			if id := idOf(2*i + 1).String(); seen[id] != 1 {
				t.Errorf("order %s came %d times", id, seen[id])
			}
		}
	})
}

// testCopyAnswers is about records whose id is there already.
func testCopyAnswers(t *testing.T, h Harness) {
	// begun returns a room that has one order, with its record.
	begun := func(t *testing.T) (*room, copying.Record) {
		t.Helper()
		r := newRoom(t, h)
		r.create(t, sample(t, 1), told("mail", "ship"))
		return r, r.records(t, 1, 1)[0]
	}
	differs := func(t *testing.T, r *room, record copying.Record) {
		t.Helper()
		before := r.records(t, 10, math.MaxInt)
		if a := r.insert(t, record)[0]; !a.Existing || a.Differs == "" {
			t.Errorf("InsertRecords = %+v, want that it differs", a)
		}
		wantRecords(t, "afterwards", r.records(t, 10, math.MaxInt), before)
	}

	t.Run("the same is there", func(t *testing.T) {
		r, record := begun(t)
		record.Tracks = delivery.Tracks{record.Tracks[1], record.Tracks[0]} // in no particular order
		if a := r.insert(t, record)[0]; a != (copying.Inserted{Existing: true}) {
			t.Errorf("InsertRecords = %+v, want that it is there", a)
		}
	})

	t.Run("a newer version differs", func(t *testing.T) {
		r, record := begun(t)
		r.change(t, idOf(1), nobody(), at(time.Hour), set("n", "1", time.Hour))
		differs(t, r, record)
	})

	t.Run("another order differs", func(t *testing.T) {
		r, record := begun(t)
		record.Order = sample(t, 1, func(d *order.Draft) { d.CustomerID = "somebody else" })
		differs(t, r, record)
	})

	t.Run("another history differs", func(t *testing.T) {
		r, record := begun(t)
		record.Events[0].Actor = "somebody else"
		differs(t, r, record)
	})

	t.Run("other deliveries differ", func(t *testing.T) {
		r, record := begun(t)
		for i := range record.Tracks {
			if record.Tracks[i].Subscriber == "mail" {
				record.Tracks[i].Parked = true
			}
		}
		differs(t, r, record)
	})

	t.Run("each of many is answered on its own", func(t *testing.T) {
		from, to := newRoom(t, h), newRoom(t, h)
		const n = 12
		from.fill(t, samples(t, 0, n)...)
		records := from.records(t, n, math.MaxInt)
		for i := 0; i < n; i += 3 {
			to.insert(t, records[i])
		}
		for i := 1; i < n; i += 3 {
			to.fill(t, sample(t, i, func(d *order.Draft) { d.CustomerID = "somebody else" }))
		}
		for i, a := range to.insert(t, records...) {
			if a.Existing != (i%3 != 2) || (a.Differs != "") != (i%3 == 1) {
				t.Errorf("record %d is answered with %+v", i, a)
			}
		}
		for i, a := range to.insert(t, records...) {
			if !a.Existing || (a.Differs != "") != (i%3 == 1) {
				t.Errorf("the second time record %d is answered with %+v", i, a)
			}
		}
	})

	t.Run("is there after reopening", func(t *testing.T) {
		from, to := newRoom(t, h), newRoom(t, h)
		from.create(t, sample(t, 1), held(at(time.Minute), "mail"))
		from.copyTo(t, to)
		to.reopen(t)
		wantRecords(t, "after reopening", to.records(t, 10, math.MaxInt), from.records(t, 10, math.MaxInt))
	})

	t.Run("shares nothing with the caller", func(t *testing.T) {
		from, to := newRoom(t, h), newRoom(t, h)
		from.create(t, sample(t, 1), told("mail"))
		want := from.records(t, 1, 1)
		given := from.records(t, 1, 1)[0]
		to.insert(t, given)
		spoil(t, given.Order)
		given.Tracks[0].Told, given.Events[0].Actor = 1, "spoiled"
		read := to.records(t, 1, 1)[0]
		spoil(t, read.Order)
		read.Tracks[0].Told, read.Events[0].Actor = 1, "spoiled"
		wantRecords(t, "after all of it was changed", to.records(t, 1, 1), want)
	})
}

// testCopyDamage is about orders that can't be read, here or there.
func testCopyDamage(t *testing.T, h Harness) {
	for name, way := range map[string]func(*room) func(order.ID){
		"an order that can't be read keeps none back":  func(r *room) func(order.ID) { return r.place.Damage.Order },
		"deliveries that can't be read keep none back": func(r *room) func(order.ID) { return r.place.Damage.Tracks },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, h)
			const n = 5
			r.fill(t, samples(t, 0, n)...)
			records := r.records(t, n, math.MaxInt)
			damage := way(r)
			if damage == nil {
				return // declared: nothing can come between
			}
			r.damaged = true
			damage(idOf(2))
			page := r.page(t, copying.Range{Limit: n, Bytes: math.MaxInt})
			if len(page.Unreadable) != 1 || page.Unreadable[0].ID != idOf(2).String() {
				t.Fatalf("unreadable are %+v, want order %s alone", page.Unreadable, idOf(2))
			}
			wantDamaged(t, "Records", page.Unreadable[0].Err, idOf(2))
			wantRecords(t, "the others", page.Records, append(records[:2:2], records[3:]...))
			for i, a := range r.InsertRecords(t.Context(), records) {
				if i == 2 {
					wantDamaged(t, "InsertRecords", a.Err, idOf(2))
				} else if a != (copying.Inserted{Existing: true}) {
					t.Errorf("record %d is answered with %+v, want that it is there", i, a)
				}
			}
		})
	}

	t.Run("a page of nothing readable goes on", func(t *testing.T) {
		r := newRoom(t, h)
		r.fill(t, samples(t, 0, 3)...)
		if r.place.Damage.Order == nil {
			return // declared: nothing can come between
		}
		r.damaged = true
		r.place.Damage.Order(idOf(0))
		if got := r.records(t, 1, 1); len(got) != 2 {
			t.Errorf("%d orders are read behind the damaged one, want 2", len(got))
		}
	})

	t.Run("a place that is lost says so", func(t *testing.T) {
		r := newRoom(t, h)
		if r.place.Cut == nil {
			return // declared: it can't be lost
		}
		r.fill(t, samples(t, 1, 2)...)
		records := r.records(t, 1, math.MaxInt)
		heal := r.place.Cut()
		for _, a := range r.InsertRecords(t.Context(), records) {
			wantKind(t, "InsertRecords", a.Err, fault.Unavailable)
		}
		heal()
		for _, a := range r.insert(t, records...) {
			if a != (copying.Inserted{Existing: true}) {
				t.Errorf("when it is back a record is answered with %+v", a)
			}
		}
	})
}
