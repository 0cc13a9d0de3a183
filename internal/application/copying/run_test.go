package copying_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// many is more than two pages.
const many = 1_234

var errAway = fault.New(fault.Unavailable, "store_unreachable", "the store is away")

func id(n int) order.ID {
	id, err := order.ParseID(fmt.Sprintf("%024x", n+1))
	if err != nil {
		panic(err)
	}
	return id
}

// filled returns a store with n orders, the last of them not told yet.
func filled(t *testing.T, n int) *memory.Store {
	t.Helper()
	store := memory.New().Open()
	for i := range n {
		o, err := order.New(id(i), order.Draft{
			CustomerID: "c-1", Currency: "EUR", Items: []order.DraftItem{{SKU: "TEA", Quantity: int64(i + 1), UnitPrice: "1.50"}},
		}, "", order.Stamp{Time: time.UnixMilli(int64(i)).UTC(), Actor: "tester"})
		if err != nil {
			t.Fatal(err)
		}
		var handover delivery.Handover
		if i == n-1 {
			handover.Subscribers = []string{"mail"}
		}
		if made := store.Create(t.Context(), []ordering.NewOrder{{Order: o, Handover: handover}}); made[0].Err != nil {
			t.Fatal(made[0].Err)
		}
	}
	return store
}

// broken is a store with other functions in the place of some of its own.
type broken struct {
	*memory.Store
	records func(context.Context, copying.Range) (copying.Page, error)
	insert  func(context.Context, []copying.Record) []copying.Inserted
}

func (b broken) Records(ctx context.Context, r copying.Range) (copying.Page, error) {
	if b.records == nil {
		return b.Store.Records(ctx, r)
	}
	return b.records(ctx, r)
}

func (b broken) InsertRecords(ctx context.Context, records []copying.Record) []copying.Inserted {
	if b.insert == nil {
		return b.Store.InsertRecords(ctx, records)
	}
	return b.insert(ctx, records)
}

// run copies, and collects the troubles by order.
func run(ctx context.Context, from copying.Source, to copying.Destination) (copying.Summary, []string, error) {
	var troubles []string
	summary, err := copying.Run(ctx, copying.Options{Trouble: func(t copying.Trouble) {
		troubles = append(troubles, fmt.Sprint(t.ID, " ", t.Differs, t.Err))
	}}, from, to)
	slices.Sort(troubles)
	return summary, troubles, err
}

func want(t *testing.T, what string, got copying.Summary, err error, want copying.Summary) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s: Run = %+v, %v, want %+v", what, got, err, want)
	}
}

func TestCopiesAllOnce(t *testing.T) {
	from, to := filled(t, many), memory.New().Open()
	var last copying.Progress
	told := 0
	summary, err := copying.Run(t.Context(), copying.Options{Progress: func(p copying.Progress) {
		if p.Done() < last.Done() {
			t.Errorf("progress goes back from %d to %d", last.Done(), p.Done())
		}
		last = p
		told++
	}}, from, to)
	want(t, "the first time", summary, err, copying.Summary{Created: many})
	if last.Total != many || last.Done() != many || told < 3 {
		t.Errorf("progress was told %d times, at last %+v", told, last)
	}
	summary, troubles, err := run(t.Context(), from, to)
	want(t, "again", summary, err, copying.Summary{Existing: many})
	if len(troubles) > 0 {
		t.Errorf("troubles: %q", troubles)
	}
}

func TestBoundsWhatItHolds(t *testing.T) {
	from := filled(t, many)
	calls := 0
	watched := broken{Store: from, records: func(ctx context.Context, r copying.Range) (copying.Page, error) {
		calls++
		if r.Limit < 1 || r.Limit > 1_000 || r.Bytes < 1 || r.Bytes > 16<<20 {
			t.Errorf("Records is asked for %+v", r)
		}
		return from.Records(ctx, r)
	}}
	if _, _, err := run(t.Context(), watched, memory.New().Open()); err != nil || calls < 3 {
		t.Errorf("Run: %v, in %d pages", err, calls)
	}
}

func TestGoesOnAfterItWasStopped(t *testing.T) {
	from, to := filled(t, many), memory.New().Open()
	ctx, stop := context.WithCancel(t.Context())
	stopping := broken{Store: to, insert: func(ctx context.Context, records []copying.Record) []copying.Inserted {
		answers := to.InsertRecords(ctx, records[:len(records)/2])
		stop() // in the middle of a page, whose first orders count
		return append(answers, to.InsertRecords(ctx, records[len(records)/2:])...)
	}}
	first, _, err := run(ctx, from, stopping)
	if !errors.Is(err, context.Canceled) || first.Created == 0 || first.Created == many {
		t.Fatalf("Run = %+v, %v, want some orders created, and that it was stopped", first, err)
	}
	n, err := to.CountRecords(t.Context())
	if err != nil || n != first.Created {
		t.Errorf("%d orders are there (%v), and %d were counted", n, err, first.Created)
	}
	second, _, err := run(t.Context(), from, to)
	want(t, "again", second, err, copying.Summary{Created: many - n, Existing: n})
}

func TestTellsOfOrdersThatDiffer(t *testing.T) {
	from, to := filled(t, 3), filled(t, 2) // the second has the last order untold
	summary, troubles, err := run(t.Context(), from, to)
	want(t, "with one that differs", summary, err, copying.Summary{Created: 1, Existing: 1, Differing: 1})
	if diff := cmp.Diff([]string{id(1).String() + " its deliveries stand elsewhere<nil>"}, troubles); diff != "" {
		t.Errorf("troubles (-want +got):\n%s", diff)
	}
}

func TestTellsOfOrdersThatCannotBeCopied(t *testing.T) {
	from, to := filled(t, 4), memory.New().Open()
	source := broken{Store: from, records: func(ctx context.Context, r copying.Range) (copying.Page, error) {
		page, err := from.Records(ctx, r)
		if len(page.Records) > 0 {
			page.Records[1].Events = nil
			page.Unreadable = []copying.Unreadable{{ID: "odd", Err: errors.New("it is odd")}}
		}
		return page, err
	}}
	destination := broken{Store: to, insert: func(ctx context.Context, records []copying.Record) []copying.Inserted {
		answers := to.InsertRecords(ctx, records[1:])
		return append([]copying.Inserted{{Err: fault.New(fault.TooLarge, "order_too_large", "it is too large")}}, answers...)
	}}
	summary, troubles, err := run(t.Context(), source, destination)
	want(t, "with three that fail", summary, err, copying.Summary{Created: 2, Failed: 3})
	wanted := []string{
		id(0).String() + " it is too large",
		id(1).String() + " it has 0 events, and the newest is event 1",
		"odd it is odd",
	}
	if diff := cmp.Diff(wanted, troubles); diff != "" {
		t.Errorf("troubles (-want +got):\n%s", diff)
	}
}

func TestWaitsForAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := filled(t, 5), memory.New().Open()
		reads, writes := 0, 0
		source := broken{Store: from, records: func(ctx context.Context, r copying.Range) (copying.Page, error) {
			reads++
			if reads%2 == 1 {
				return copying.Page{}, errAway
			}
			return from.Records(ctx, r)
		}}
		destination := broken{Store: to, insert: func(ctx context.Context, records []copying.Record) []copying.Inserted {
			writes++
			answers := to.InsertRecords(ctx, records)
			if writes < 3 {
				answers[len(answers)-1] = copying.Inserted{Err: errAway} // its answer was lost
			}
			return answers
		}}
		summary, troubles, err := run(t.Context(), source, destination)
		want(t, "with stores that come back", summary, err, copying.Summary{Created: 4, Existing: 1})
		if len(troubles) > 0 {
			t.Errorf("troubles: %q", troubles)
		}
	})
}

func TestGivesUpOnAStoreThatStaysAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := broken{Store: memory.New().Open(), insert: func(_ context.Context, records []copying.Record) []copying.Inserted {
			answers := make([]copying.Inserted, len(records))
			for i := range answers {
				answers[i].Err = errAway
			}
			return answers
		}}
		if summary, _, err := run(t.Context(), filled(t, 5), away); fault.KindOf(err) != fault.Unavailable || summary.Done() != 0 {
			t.Errorf("to a store that stays away: Run = %+v, %v", summary, err)
		}
		source := memory.New()
		source.SetAway(true)
		if summary, _, err := run(t.Context(), source.Open(), memory.New().Open()); fault.KindOf(err) != fault.Unavailable || summary.Done() != 0 {
			t.Errorf("from a store that stays away: Run = %+v, %v", summary, err)
		}
	})
}

func TestEndsWithAStoreThatIsBroken(t *testing.T) {
	errDisk := errors.New("the disk is gone")
	destination := broken{Store: memory.New().Open(), insert: func(context.Context, []copying.Record) []copying.Inserted {
		return []copying.Inserted{{Err: errDisk}}
	}}
	if _, _, err := run(t.Context(), filled(t, 1), destination); !errors.Is(err, errDisk) {
		t.Errorf("to a broken store: Run = %v", err)
	}
	endless := filled(t, 3)
	source := broken{Store: endless, records: func(ctx context.Context, _ copying.Range) (copying.Page, error) {
		return endless.Records(ctx, copying.Range{Limit: 1, Bytes: math.MaxInt})
	}}
	if _, _, err := run(t.Context(), source, memory.New().Open()); err == nil {
		t.Error("a source that goes in circles is no error")
	}
}
