package order_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// compareSnapshots looks inside the value types that have no exported fields.
var compareSnapshots = cmp.Options{
	cmp.Comparer(func(a, b money.Currency) bool { return a == b }),
	cmp.Comparer(func(a, b money.Price) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

// drawDraft makes a draft that keeps every rule.
func drawDraft(t *rapid.T) order.Draft {
	text := func(label string, least, most int) string {
		return rapid.StringOfN(rapid.RuneFrom(nil, printable), least, most, -1).Draw(t, label)
	}
	code := rapid.SampledFrom([]string{"USD", "JPY", "KWD", "CLF"}).Draw(t, "currency")
	digits := map[string]int{"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4}[code]
	d := order.Draft{
		CustomerID: text("customer", 1, order.MaxCustomerID),
		Reference:  text("reference", 0, order.MaxReference),
		Currency:   code,
		Metadata:   rapid.MapOfN(rapid.StringMatching(`[a-z]{1,40}`), rapid.StringMatching(`[ -~]{0,50}`), 0, 5).Draw(t, "metadata"),
	}
	for i := range rapid.IntRange(1, 6).Draw(t, "lines") {
		scale := rapid.IntRange(0, digits+money.ExtraPriceDigits).Draw(t, fmt.Sprint("scale ", i))
		whole := rapid.IntRange(0, 999).Draw(t, fmt.Sprint("whole ", i)) // six lines stay below the largest total
		price := strconv.Itoa(whole)
		if scale > 0 {
			price += "." + rapid.StringMatching(fmt.Sprintf(`[0-9]{%d}`, scale)).Draw(t, fmt.Sprint("decimals ", i))
		}
		d.Items = append(d.Items, order.DraftItem{
			SKU:       text(fmt.Sprint("sku ", i), 1, order.MaxSKU),
			Name:      text(fmt.Sprint("name ", i), 0, 20),
			Quantity:  rapid.Int64Range(1, order.MaxQuantity).Draw(t, fmt.Sprint("quantity ", i)),
			UnitPrice: price,
		})
	}
	return d
}

// TestOrderKeepsItsInvariants moves random orders at random, each change through storage, and holds
// what must always be true.
func TestOrderKeepsItsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := start
		o, err := order.New(id(1), drawDraft(t), "", order.Stamp{Time: clock, Actor: "test"})
		if err != nil {
			t.Fatalf("New: %v", err)
		}
		history := append([]order.Event(nil), o.Events()...)
		checkOrder(t, o, history)
		for step := range rapid.IntRange(0, 12).Draw(t, "steps") {
			o = restore(t, o)
			clock = clock.Add(time.Duration(rapid.IntRange(-5, 5000).Draw(t, "pause")) * time.Millisecond)
			at := order.Stamp{Time: clock, Actor: "test"}
			before, version := o.Status(), o.Version()
			if rapid.Bool().Draw(t, "metadata") {
				patch := map[string]*string{rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key"): nil}
				for k := range patch {
					patch[k] = rapid.Ptr(rapid.SampledFrom([]string{"", "x", "y"}), true).Draw(t, "value")
				}
				if err := o.PatchMetadata(patch, at); err != nil {
					t.Fatalf("PatchMetadata: %v", err)
				}
			}
			target := rapid.SampledFrom(order.Statuses()).Draw(t, "target")
			err := o.MoveTo(target, id(100+step), at)
			checkMove(t, o, before, target, err)
			if want := version + boolInt(o.Changed()); o.Version() != want {
				t.Fatalf("version %d after %d, changed %v", o.Version(), version, o.Changed())
			}
			history = append(history, o.Events()...)
			checkOrder(t, o, history)
		}
	})
}

// checkMove holds a move against the table of the design.
func checkMove(t *rapid.T, o *order.Order, before, target order.Status, err error) {
	t.Helper()
	allowed := before == target
	for _, s := range before.Next() {
		allowed = allowed || s == target
	}
	switch {
	case allowed && err != nil:
		t.Fatalf("%s to %s: %v", before, target, err)
	case !allowed && err == nil:
		t.Fatalf("%s to %s was allowed", before, target)
	case err == nil && o.Status() != target:
		t.Fatalf("%s to %s became %s", before, target, o.Status())
	case err != nil && o.Status() != before:
		t.Fatalf("%s became %s by a move that was refused", before, o.Status())
	}
}

// checkOrder holds what is true of every order at every moment.
func checkOrder(t *rapid.T, o *order.Order, history []order.Event) {
	t.Helper()
	s := o.Snapshot()
	var total money.Amount
	var active, shipped, delivered int64
	for i, l := range s.Lines {
		if l.Canceled < 0 || l.Canceled+l.Shipped > l.Quantity || l.Delivered > l.Shipped || l.Returned > l.Delivered {
			t.Fatalf("line %d: counters contradict each other: %+v", i+1, l)
		}
		total += l.Total
		active += l.Quantity - l.Canceled
		shipped += l.Shipped
		delivered += l.Delivered
	}
	if total != s.Total {
		t.Fatalf("total %d, lines come to %d", s.Total, total)
	}
	if s.UpdatedAt.Before(s.CreatedAt) || s.PlacedAt.After(s.CreatedAt) {
		t.Fatalf("placed %s, created %s, updated %s", s.PlacedAt, s.CreatedAt, s.UpdatedAt)
	}
	paid, refunded := captured(s)
	wantPayment := map[order.Status]order.PaymentStatus{
		order.StatusPending: order.PaymentStatusUnpaid, order.StatusPaid: order.PaymentStatusPaid,
		order.StatusShipped: order.PaymentStatusPaid, order.StatusDelivered: order.PaymentStatusPaid,
	}
	switch status := o.Status(); {
	case status == order.StatusCanceled && (active != 0 || paid != refunded):
		t.Fatalf("canceled with %d active, %d captured, %d refunded", active, paid, refunded)
	case status == order.StatusPaid && paid != total:
		t.Fatalf("paid with %d of %d captured", paid, total)
	case status == order.StatusShipped && (shipped != active || delivered != 0):
		t.Fatalf("shipped with %d of %d shipped, %d delivered", shipped, active, delivered)
	case status == order.StatusDelivered && delivered != active:
		t.Fatalf("delivered with %d of %d", delivered, active)
	case status != order.StatusCanceled && o.PaymentStatus() != wantPayment[status]:
		t.Fatalf("%s and %s", status, o.PaymentStatus())
	}
	checkHistory(t, o, history)
}

// checkHistory holds the events: sequences and versions without gaps, the last one saying where the
// order stands.
func checkHistory(t *rapid.T, o *order.Order, history []order.Event) {
	t.Helper()
	version := 0
	for i, e := range history {
		if e.Sequence != i+1 {
			t.Fatalf("event %d has sequence %d", i+1, e.Sequence)
		}
		if e.Version != version && e.Version != version+1 {
			t.Fatalf("event %d has version %d after %d", i+1, e.Version, version)
		}
		version = e.Version
	}
	last := history[len(history)-1]
	if o.Sequence() != last.Sequence || o.Version() != last.Version || o.Status() != last.Status {
		t.Fatalf("order at sequence %d, version %d, %s; last event %d, %d, %s",
			o.Sequence(), o.Version(), o.Status(), last.Sequence, last.Version, last.Status)
	}
}

// restore sends an order through storage and compares.
func restore(t *rapid.T, o *order.Order) *order.Order {
	t.Helper()
	again, err := order.Restore(o.Snapshot())
	if err != nil {
		t.Fatalf("Restore: %v", err)
	}
	if diff := cmp.Diff(o.Snapshot(), again.Snapshot(), compareSnapshots); diff != "" {
		t.Fatalf("Restore(Snapshot()) differs (-order +restored):\n%s", diff)
	}
	if again.Changed() || len(again.Events()) != 0 {
		t.Fatal("a restored order has changes")
	}
	return again
}

func captured(s order.Snapshot) (paid, refunded money.Amount) {
	for _, p := range s.Payments {
		if p.State == order.PaymentStateCaptured {
			paid += p.Amount
		}
		for _, r := range p.Refunds {
			refunded += r.Amount
		}
	}
	return paid, refunded
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
