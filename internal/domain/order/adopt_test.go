package order_test

import (
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

func legacy(t *testing.T, status order.Status, prices ...string) order.Legacy {
	t.Helper()
	usd, err := money.CurrencyOf("USD")
	if err != nil {
		t.Fatal(err)
	}
	l := order.Legacy{ID: id(1), CustomerID: "c-1", Currency: usd, Status: status, CreatedAt: stamp(0).Time, UpdatedAt: stamp(7).Time}
	for _, text := range prices {
		price, err := money.ParsePrice(text, usd)
		if err != nil {
			t.Fatal(err)
		}
		l.Items = append(l.Items, order.Item{SKU: "TEA", Quantity: 2, UnitPrice: price})
	}
	return l
}

// TestAdopt takes over an order of each status, also one that costs nothing, and goes on with it.
func TestAdopt(t *testing.T) {
	wants := map[order.Status]struct {
		payment     order.PaymentStatus
		fulfillment order.FulfillmentStatus
	}{
		order.StatusPending:   {order.PaymentStatusUnpaid, order.FulfillmentStatusUnfulfilled},
		order.StatusPaid:      {order.PaymentStatusPaid, order.FulfillmentStatusUnfulfilled},
		order.StatusShipped:   {order.PaymentStatusPaid, order.FulfillmentStatusShipped},
		order.StatusDelivered: {order.PaymentStatusPaid, order.FulfillmentStatusDelivered},
		order.StatusCanceled:  {order.PaymentStatusUnpaid, order.FulfillmentStatusUnfulfilled},
	}
	for status, want := range wants {
		for _, prices := range [][]string{{"12.50", "0.005"}, {"0"}} {
			l := legacy(t, status, prices...)
			o, created, err := order.Adopt(l)
			if err != nil {
				t.Fatalf("%s: %v", status, err)
			}
			if o.Status() != status || o.PaymentStatus() != want.payment || o.FulfillmentStatus() != want.fulfillment {
				t.Errorf("%s is %s, %s, %s", status, o.Status(), o.PaymentStatus(), o.FulfillmentStatus())
			}
			if o.Version() != 1 || o.Sequence() != 1 || o.Unsaved() || len(o.Events()) != 0 {
				t.Errorf("%s: version %d, sequence %d, unsaved %v, %d events", status, o.Version(), o.Sequence(), o.Unsaved(), len(o.Events()))
			}
			v := o.View()
			if created.Type != order.EventOrderCreated || created.Sequence != 1 || created.Status != status ||
				created.Created.Total != o.Total() || !created.Time.Equal(l.CreatedAt) || v.EventBytes == 0 {
				t.Errorf("%s: told as %+v", status, created)
			}
			again, _, err := order.Adopt(l)
			if err != nil || len(v.Payments) > 0 && again.View().Payments[0].ID != v.Payments[0].ID {
				t.Errorf("%s: adopting again gives other ids, or %v", status, err)
			}
			for _, next := range status.Next() {
				o, _, _ := order.Adopt(l)
				if err := o.MoveTo(next, id(2), stamp(9)); err != nil || o.Status() != next || o.Version() != 2 {
					t.Errorf("%s can't go on to %s: %v", status, next, err)
				}
			}
		}
	}
}

func TestAdoptRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*order.Legacy){
		`status is "LOST", which is none of [PENDING PAID SHIPPED DELIVERED CANCELED]`: func(l *order.Legacy) { l.Status = "LOST" },
		"items has 0 lines":                       func(l *order.Legacy) { l.Items = nil },
		"items has 1001 lines":                    func(l *order.Legacy) { l.Items = make([]order.Item, 1001) },
		"items[1].quantity is 0":                  func(l *order.Legacy) { l.Items[1].Quantity = 0 },
		"items[0].quantity is -3":                 func(l *order.Legacy) { l.Items[0].Quantity = -3 },
		"items[0].unit_price times quantity come": func(l *order.Legacy) { l.Items[0].Quantity = 1 << 62 },
		"items[1].unit_price: with it, the order": func(l *order.Legacy) { l.Items[0].Quantity, l.Items[1].Quantity = 4e14, 4e14 },
	} {
		l := legacy(t, order.StatusPending, "0.01", "0.02")
		if strings.Contains(want, "with it") {
			l = legacy(t, order.StatusPending, "0.02", "0.02")
		}
		spoil(&l)
		if _, _, err := order.Adopt(l); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	l := legacy(t, order.StatusPaid, "1")
	l.CustomerID, l.Items[0].SKU, l.UpdatedAt = strings.Repeat("long ", 100), "a\tb", l.CreatedAt.Add(-time.Hour)
	if _, _, err := order.Adopt(l); err != nil {
		t.Errorf("what only a caller must keep to is asked of what is stored: %v", err)
	}
}
