package order_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

var (
	start     = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	printable = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x20, Hi: 0x7e, Stride: 1}, {Lo: 0xa1, Hi: 0x24f, Stride: 1}}}
)

func id(n int) order.ID { return order.KeyedID("test", "id", strconv.Itoa(n)) }

func stamp(seconds int) order.Stamp {
	return order.Stamp{Time: start.Add(time.Duration(seconds) * time.Second), Actor: "test"}
}

func draft() order.Draft {
	return order.Draft{
		CustomerID: "c-1", Reference: "A-17", Currency: "EUR",
		Items: []order.DraftItem{
			{SKU: "TEA", Name: "Green tea", Quantity: 2, UnitPrice: "12.50"},
			{SKU: "CUP", Quantity: 1, UnitPrice: "0.005"},
		},
	}
}

func newOrder(t testing.TB) *order.Order {
	t.Helper()
	o, err := order.New(id(1), draft(), "", stamp(0))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// move restores the order, as a store would, and moves it on.
func move(t testing.TB, o *order.Order, to order.Status, at int) *order.Order {
	t.Helper()
	o, err := order.Restore(o.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.MoveTo(to, id(100+at), stamp(at)); err != nil {
		t.Fatalf("move to %s: %v", to, err)
	}
	return o
}

func eventTypes(o *order.Order) string {
	var types []string
	for _, e := range o.Events() {
		types = append(types, string(e.Type))
	}
	return strings.Join(types, " ")
}

func TestLifeOfAnOrder(t *testing.T) {
	o := newOrder(t)
	if o.Status() != order.StatusPending || o.Version() != 1 || o.Total() != 2500 || eventTypes(o) != "OrderCreated" {
		t.Fatalf("new: %s, version %d, total %d, %s", o.Status(), o.Version(), o.Total(), eventTypes(o))
	}
	steps := []struct {
		to          order.Status
		payment     order.PaymentStatus
		fulfillment order.FulfillmentStatus
		events      string
	}{
		{order.StatusPaid, order.PaymentStatusPaid, order.FulfillmentStatusUnfulfilled, "PaymentCaptured OrderStatusChanged"},
		{order.StatusShipped, order.PaymentStatusPaid, order.FulfillmentStatusShipped, "FulfillmentCreated FulfillmentShipped OrderStatusChanged"},
		{order.StatusDelivered, order.PaymentStatusPaid, order.FulfillmentStatusDelivered, "FulfillmentDelivered OrderStatusChanged"},
	}
	for i, step := range steps {
		o = move(t, o, step.to, i+1)
		if o.Status() != step.to || o.PaymentStatus() != step.payment || o.FulfillmentStatus() != step.fulfillment ||
			eventTypes(o) != step.events || o.Version() != i+2 {
			t.Errorf("%s: %s, %s, version %d, %s", o.Status(), o.PaymentStatus(), o.FulfillmentStatus(), o.Version(), eventTypes(o))
		}
	}
}

func TestCancel(t *testing.T) {
	pending := move(t, newOrder(t), order.StatusCanceled, 1)
	if pending.PaymentStatus() != order.PaymentStatusUnpaid || eventTypes(pending) != "OrderStatusChanged" {
		t.Errorf("canceled unpaid: %s, %s", pending.PaymentStatus(), eventTypes(pending))
	}
	paid := move(t, move(t, newOrder(t), order.StatusPaid, 1), order.StatusCanceled, 2)
	if paid.PaymentStatus() != order.PaymentStatusRefunded || eventTypes(paid) != "RefundSucceeded OrderStatusChanged" {
		t.Errorf("canceled paid: %s, %s", paid.PaymentStatus(), eventTypes(paid))
	}
	if refund := paid.Snapshot().Payments[0].Refunds[0]; refund.Amount != 2500 {
		t.Errorf("refunded %d, want 2500", refund.Amount)
	}
}

func TestFreeOrderIsPaidByARecordedPayment(t *testing.T) {
	d := draft()
	d.Items = []order.DraftItem{{SKU: "GIFT", Quantity: 1, UnitPrice: "0"}}
	o, err := order.New(id(1), d, "", stamp(0))
	if err != nil {
		t.Fatal(err)
	}
	if o.Status() != order.StatusPending {
		t.Fatalf("a new order that costs nothing is %s", o.Status())
	}
	o = move(t, o, order.StatusPaid, 1)
	if o.PaymentStatus() != order.PaymentStatusPaid {
		t.Errorf("payment status %s", o.PaymentStatus())
	}
	if o = move(t, o, order.StatusCanceled, 2); o.Status() != order.StatusCanceled {
		t.Errorf("status %s", o.Status())
	}
}

func TestMoveThatIsNotAllowed(t *testing.T) {
	o := newOrder(t)
	err := o.MoveTo(order.StatusDelivered, id(2), stamp(1))
	want := "the order can't go from PENDING to DELIVERED: the order must be SHIPPED first; allowed now: PAID, CANCELED"
	if fault.KindOf(err) != fault.NotAllowed || fault.Of(err).Message != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if o.Version() != 1 {
		t.Errorf("version %d after a move that was refused", o.Version())
	}
}

func TestActions(t *testing.T) {
	want := order.Actions{
		Pay:     order.Action{Reason: "the order is PAID already"},
		Ship:    order.Action{Allowed: true},
		Deliver: order.Action{Reason: "the order must be SHIPPED first"},
		Cancel:  order.Action{Allowed: true},
	}
	if diff := cmp.Diff(want, move(t, newOrder(t), order.StatusPaid, 1).Actions()); diff != "" {
		t.Errorf("actions of a paid order (-want +got):\n%s", diff)
	}
}

func TestNewNamesEveryFieldAtFault(t *testing.T) {
	long := strings.Repeat("é", 129)
	d := order.Draft{
		CustomerID: "", Reference: long, Currency: "eur", PlacedAt: start.Add(time.Hour),
		Metadata: map[string]string{"k": "a\x00b", strings.Repeat("k", 41): ""},
		Items: []order.DraftItem{
			{SKU: "\xff\xfe", Quantity: 0, UnitPrice: ""},
			{SKU: "OK", Name: "line\nbreak", Quantity: 1_000_001, UnitPrice: "1"},
		},
	}
	_, err := order.New(id(1), d, "", stamp(0))
	if fault.KindOf(err) != fault.Invalid {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, f := range fault.Of(err).Fields {
		got = append(got, f.Location)
	}
	want := []string{
		"customer_id", "reference", "placed_at", "metadata.k", "metadata", "currency",
		"items[0].sku", "items[0].quantity", "items[0].unit_price", "items[1].name", "items[1].quantity",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("locations (-want +got):\n%s", diff)
	}
}

func TestNewBoundsItsAnswer(t *testing.T) {
	d := draft()
	d.Items = make([]order.DraftItem, order.MaxLines)
	_, err := order.New(id(1), d, "", stamp(0))
	if n := len(fault.Of(err).Fields); n != 100 {
		t.Errorf("%d fields named, want 100", n)
	}
	d.Items = make([]order.DraftItem, order.MaxLines+1)
	_, err = order.New(id(1), d, "", stamp(0))
	if fields := fault.Of(err).Fields; len(fields) != 1 || fields[0].Location != "items" {
		t.Errorf("fields %v, want items", fields)
	}
}

func TestTotalTooLarge(t *testing.T) {
	d := draft()
	d.Items = []order.DraftItem{
		{SKU: "A", Quantity: 1, UnitPrice: "9999999999999.99"},
		{SKU: "B", Quantity: 1, UnitPrice: "0.01"},
	}
	_, err := order.New(id(1), d, "", stamp(0))
	if fields := fault.Of(err).Fields; len(fields) != 1 || !strings.Contains(fields[0].Message, "total") {
		t.Errorf("fields %v, want the total", fields)
	}
}

func TestLimitsCountCharacters(t *testing.T) {
	d := draft()
	d.CustomerID = strings.Repeat("漢", order.MaxCustomerID)
	if _, err := order.New(id(1), d, "", stamp(0)); err != nil {
		t.Errorf("128 characters of three bytes: %v", err)
	}
}

func TestPatchMetadata(t *testing.T) {
	d := draft()
	d.Metadata = map[string]string{"gift": "yes", "note": "leave"}
	o, err := order.New(id(1), d, "", stamp(0))
	if err != nil {
		t.Fatal(err)
	}
	blue := "blue"
	yes := "yes"
	if err := o.PatchMetadata(map[string]*string{"gift": &yes, "note": nil, "color": &blue, "none": nil}, stamp(1)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"gift": "yes", "color": "blue"}, o.Snapshot().Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	last := o.Events()[len(o.Events())-1]
	if diff := cmp.Diff(map[string]*string{"note": nil, "color": &blue}, last.Metadata); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestRequestsAreRememberedAndForgotten(t *testing.T) {
	o := newOrder(t)
	for i := range order.MaxRequests + 1 {
		o, _ = order.Restore(o.Snapshot())
		value := strconv.Itoa(i)
		if err := o.PatchMetadata(map[string]*string{"n": &value}, stamp(i)); err != nil {
			t.Fatal(err)
		}
		o.Remember(id(i), "fingerprint")
	}
	if _, ok := o.Request(id(0)); ok {
		t.Error("the oldest request is still remembered")
	}
	if r, ok := o.Request(id(order.MaxRequests)); !ok || r.Version != o.Version() {
		t.Errorf("the newest request: %v, %v", r, ok)
	}
}

func TestEventLimit(t *testing.T) {
	s := newOrder(t).Snapshot()
	s.Sequence = order.MaxEvents - 1
	o, err := order.Restore(s)
	if err != nil {
		t.Fatal(err)
	}
	err = o.MoveTo(order.StatusPaid, id(2), stamp(1))
	if fault.Of(err).Code != "too_many_events" {
		t.Errorf("got %v", err)
	}
}

// TestActionsNearTheLimits fills orders of each status up to the last event: what actions allow can be done, and what
// can't be done has its reason.
func TestActionsNearTheLimits(t *testing.T) {
	full := map[string]func(s *order.Snapshot, left int){
		"events": func(s *order.Snapshot, left int) { s.Sequence = order.MaxEvents - left },
		"bytes":  func(s *order.Snapshot, left int) { s.EventBytes = order.MaxEventBytes - 200*left },
	}
	paths := [][]order.Status{{}, {order.StatusPaid}, {order.StatusPaid, order.StatusShipped}}
	for name, fill := range full {
		t.Run(name, func(t *testing.T) {
			refused := 0
			for _, path := range paths {
				for left := range 9 {
					o := newOrder(t)
					for i, status := range path {
						o = move(t, o, status, i+2)
					}
					s := o.Snapshot()
					fill(&s, left)
					refused += checkActions(t, s)
				}
			}
			if refused == 0 {
				t.Error("no order was full")
			}
		})
	}
}

// checkActions tries everything on orders of this form, and returns how much was refused for want of room.
func checkActions(t *testing.T, s order.Snapshot) (refused int) {
	t.Helper()
	o, err := order.Restore(s)
	if err != nil {
		t.Fatal(err)
	}
	actions := o.Actions()
	if o.Unsaved() || len(o.Events()) > 0 || o.Version() != s.Version {
		t.Error("asking what is allowed changes the order")
	}
	for target, action := range map[order.Status]order.Action{
		order.StatusPaid: actions.Pay, order.StatusShipped: actions.Ship,
		order.StatusDelivered: actions.Deliver, order.StatusCanceled: actions.Cancel,
	} {
		if target == o.Status() {
			continue // nothing to do, which never fails
		}
		tried, err := order.Restore(o.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		err = tried.MoveTo(target, id(9), stamp(9))
		if action.Allowed != (err == nil) {
			t.Errorf("%s to %s with %d events is allowed: %t, but %v", o.Status(), target, s.Sequence, action.Allowed, err)
		}
		switch code := fault.Of(err).Code; {
		case err == nil:
		case code != "status_not_allowed":
			refused++
			if action.Reason != fault.Of(err).Message {
				t.Errorf("the reason is %q, want %q", action.Reason, fault.Of(err).Message)
			}
		}
	}
	return refused
}

func TestFingerprint(t *testing.T) {
	a, b := draft(), draft()
	b.Items[0].UnitPrice = "12.5"
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("12.50 and 12.5 ask for different orders")
	}
	b.Items[0].Quantity++
	if a.Fingerprint() == b.Fingerprint() {
		t.Error("another quantity makes no difference")
	}
}

func TestIDs(t *testing.T) {
	text := "0123456789abcdefABCDEF01"
	parsed, err := order.ParseID(text)
	if err != nil || parsed.String() != strings.ToLower(text) {
		t.Errorf("ParseID(%q) = %s, %v", text, parsed, err)
	}
	for _, bad := range []string{"", "123", strings.Repeat("g", 24), strings.Repeat("0", 25)} {
		if _, err := order.ParseID(bad); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("ParseID(%q): %v, want ErrNotFound", bad, err)
		}
	}
	if order.KeyedID("a", "bc", "d") == order.KeyedID("ab", "c", "d") {
		t.Error("parts of a key run into each other")
	}
	earlier, later := order.TimedID(start, [8]byte{9}), order.TimedID(start.Add(time.Second), [8]byte{1})
	if earlier.Compare(later) >= 0 {
		t.Error("ids are not in time order")
	}
}

func TestRestoreRefusesDamage(t *testing.T) {
	for name, damage := range map[string]func(*order.Snapshot){
		"no lines": func(s *order.Snapshot) { s.Lines = nil },
		"total":    func(s *order.Snapshot) { s.Total++ },
		"counters": func(s *order.Snapshot) { s.Lines[0].Shipped = 3 },
		"version":  func(s *order.Snapshot) { s.Version = 0 },
		"fulfilled lines": func(s *order.Snapshot) {
			s.Fulfillments = []order.Fulfillment{{Lines: []order.LineQuantity{{Line: 9}}}}
		},
	} {
		s := newOrder(t).Snapshot()
		damage(&s)
		if _, err := order.Restore(s); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	d := draft()
	d.Items = append(d.Items, order.DraftItem{SKU: "POT", Name: "Tea pot", Quantity: 1, UnitPrice: "39.90"})
	for b.Loop() {
		if _, err := order.New(id(1), d, "", stamp(0)); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEventsAreBoundedInBytes(t *testing.T) {
	s := newOrder(t).Snapshot()
	s.EventBytes = order.MaxEventBytes - 500
	o, err := order.Restore(s)
	if err != nil {
		t.Fatal(err)
	}
	value := strings.Repeat("漢", order.MaxMetadataValue)
	err = o.PatchMetadata(map[string]*string{"note": &value}, stamp(1))
	if f := fault.Of(err); f.Code != "order_too_large" || f.Kind != fault.NotAllowed {
		t.Errorf("got %v", err)
	}
}

func TestARequestThatChangesNothingIsRemembered(t *testing.T) {
	o, err := order.Restore(newOrder(t).Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	if o.Unsaved() {
		t.Error("a restored order is unsaved")
	}
	if err := o.MoveTo(order.StatusPending, id(2), stamp(1)); err != nil {
		t.Fatal(err)
	}
	o.Remember(id(3), "fingerprint")
	if !o.Unsaved() || o.Changed() || o.Version() != 1 || len(o.Events()) != 0 {
		t.Errorf("unsaved %v, changed %v, version %d", o.Unsaved(), o.Changed(), o.Version())
	}
	if r, ok := o.Request(id(3)); !ok || r.Version != 1 {
		t.Errorf("request %v, %v", r, ok)
	}
}
