package importing_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
)

func TestNDJSON(t *testing.T) {
	text := `{"reference": "A", "customer_id": "c", "items": [{"sku": "TEA", "quantity": 2, "unit_price": 12.50, "name": "Green tea"}],
{"reference": "B", "customer_id": "c", "currency": "JPY", "metadata":{"k":"v"}, "items": [{"sku": "T", "quantity":2, "unit_price": "12"}]}

{"reference": "C", "customer_id": "", "items": [{"sku": "TEA", "quantity": "2", "unit_price": 1}], "shade": 1}
{"customer_id": "c", "items": [{"sku": "TEA", "quantity": 2, "unit_price": 1}]}
{"reference": "D", "customer_id": "c", "items": [{"sku": "TEA", "quantity": 2, "unit_price": 1}]}
{"reference": "D", "customer_id": "c", "items": [{"sku": "TEA", "quantity": 2, "unit_price": 1}]}
[1]
`
	text = strings.Replace(text, "}],\n", "}]}\n", 1)
	for _, memory := range []int{0, 1} {
		shop := newShop(t)
		options := plain()
		options.Memory, options.TempDir = memory, t.TempDir()
		got, rejects := run(t, options, shop, text)
		check(t, "summary", counts{
			Read: 4, Created: 2, Rejected: 2, Lines: 7, LinesRejected: 5, LinesCreated: 2,
			Totals: map[string]string{"EUR": "25.00", "JPY": "24"},
		}, got)
		check(t, "name", "Green tea", shop.order("A").Lines[0].Name)
		check(t, "metadata", map[string]string{"k": "v"}, shop.order("B").Metadata)
		why := make(map[string]string)
		for _, row := range readCSV(t, rejects) {
			why[row[0]] = row[2]
		}
		twice := "the reference stands on line 6 and on line 7: write each order on one line"
		check(t, "reasons", map[string]string{
			"line": "reasons",
			"4": "items[0].quantity must be a whole number from 1 to 1,000,000; shade is not a field here; " +
				"the fields are customer_id, items, currency, reference, placed_at, metadata",
			"5": "reference is required: it decides the order's id, so that a second run makes nothing new",
			"6": twice, "7": twice,
			"8": "must be an object: an order",
		}, why)
		again, _ := run(t, options, shop, text)
		check(t, "there already", int64(2), again.Existing)
	}
}

// What the API exports can be imported elsewhere, unless orders have moved on.
func TestExportedOrders(t *testing.T) {
	from, to := newShop(t), newShop(t)
	run(t, retail(t), from, excerpt(t))
	paid := ordering.Change{ID: from.order("536365").ID, Status: order.StatusPaid}
	if _, err := from.Service.Change(t.Context(), from.Caller, paid); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for o, err := range from.Service.All(t.Context(), ordering.Caller{}, ordering.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		text = append(wire.AppendOrder(text, o), '\n')
	}
	got, rejects := run(t, plain(), to, string(text))
	check(t, "created", int64(23), got.Created)
	check(t, "reason", "status must be PENDING: an import makes new orders", readCSV(t, rejects)[1][2])
	want := from.orders()
	delete(want, "536365")
	asked := cmpopts.IgnoreFields(order.Snapshot{}, "Origin") // the request now names a date
	if diff := cmp.Diff(want, to.orders(), exactly(), asked); diff != "" {
		t.Errorf("orders differ:\n%s", diff)
	}
}
