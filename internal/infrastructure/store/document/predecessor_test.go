package document_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

func usd(t testing.TB) money.Currency {
	t.Helper()
	c, err := money.CurrencyOf("USD")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// predecessors returns a golden document of the FastAPI service.
func predecessors(t testing.TB, name string) (order.ID, bson.Raw) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "predecessor", name+".ejson"))
	if err != nil {
		t.Fatal(err)
	}
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON(text, true, &raw); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return order.ID(raw.Lookup("_id").ObjectID()), raw
}

// TestAdopt holds what is made of each golden document against a golden document in the form of today:
// whatever was migrated once must stay what it is.
func TestAdopt(t *testing.T) {
	for name, wantRounded := range map[string][]document.Rounded{
		"pending": nil, "paid": nil, "shipped": nil, "delivered": nil, "canceled": nil, "free": nil, "tolerated": nil,
		"rounded": {
			{Line: 2, Was: "0.30000000000000004", Is: "0.30"},
			{Line: 3, Was: "2.5e-06", Is: "0.000002"},
			{Line: 4, Was: "1e-300", Is: "0.00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			id, raw := predecessors(t, name)
			if !document.IsPredecessors(raw) {
				t.Error("the document is not seen to be the FastAPI service's")
			}
			a, err := document.Adopt(id, raw, usd(t))
			if err != nil {
				t.Fatal(err)
			}
			ignored := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".was" }, cmp.Ignore())
			if diff := cmp.Diff(wantRounded, a.Rounded, ignored); diff != "" {
				t.Errorf("rounded prices (-want +got):\n%s", diff)
			}
			d := document.NewBSON()
			d.Order(a.Order.View())
			d.Events("events", []order.Event{a.Created})
			d.Adopted(a)
			written := d.Bytes()
			compareGolden(t, filepath.Join("predecessor", name+"-v1.ejson"), written)
			back, err := document.DecodeOrderBSON(id, written)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a.Order.Snapshot(), back.Snapshot(), values); diff != "" {
				t.Errorf("the order reads differently once it is migrated (-before +after):\n%s", diff)
			}
			if status := raw.Lookup("status").StringValue(); string(back.Status()) != status {
				t.Errorf("the order is %s, and was %s", back.Status(), status)
			}
		})
	}
}

// compareGolden holds a document against a golden one, in canonical Extended JSON.
func compareGolden(t *testing.T, name string, raw bson.Raw) {
	t.Helper()
	var value any
	text, err := bson.MarshalExtJSON(raw, true, false)
	if err == nil {
		err = json.Unmarshal(text, &value)
	}
	if err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	indented = append(indented, '\n')
	if diff := cmp.Diff(string(golden(t, name, indented)), string(indented)); diff != "" {
		t.Errorf("%s has changed (-stored +written):\n%s", name, diff)
	}
}

// TestAdoptRefuses spoils one member after the other.
func TestAdoptRefuses(t *testing.T) {
	item := func(member string, value any) func(bson.M) {
		return func(m bson.M) { m["items"].(bson.A)[1].(bson.M)[member] = value } //nolint:errcheck,forcetypeassert // known above
	}
	set := func(member string, value any) func(bson.M) { return func(m bson.M) { m[member] = value } }
	without := func(member string) func(bson.M) { return func(m bson.M) { delete(m, member) } }
	for want, spoil := range map[string]func(bson.M){
		`status is "LOST", which is none of`:                           set("status", "LOST"),
		"status is missing":                                            without("status"),
		"status is of type null, not text":                             set("status", nil),
		"customer_id is missing":                                       without("customer_id"),
		"customer_id is of type 32-bit integer, not text":              set("customer_id", int32(7)),
		"customer_id is not valid UTF-8":                               set("customer_id", "\xff"),
		"items is missing":                                             without("items"),
		"items is of type string, not a list":                          set("items", "TEA"),
		"items has 0 lines":                                            set("items", bson.A{}),
		"items[0] is of type string, not a document":                   set("items", bson.A{"TEA"}),
		"items[1].sku is of type":                                      item("sku", true),
		"items[1].quantity is -1; it must be 1 or more":                item("quantity", int32(-1)),
		"items[1].quantity is 0; it must be 1 or more":                 item("quantity", int32(0)),
		"items[1].quantity is 1.5, not a whole number":                 item("quantity", 1.5),
		"items[1].quantity is of type string, not":                     item("quantity", "1"),
		"items[1].unit_price is -0.01; it must be zero":                item("unit_price", -0.01),
		"items[1].unit_price is NaN; it must be":                       item("unit_price", math.NaN()),
		"items[1].unit_price is 1e+300; it must be between":            item("unit_price", 1e300),
		"items[1].unit_price times quantity comes to more":             item("unit_price", 9e13),
		"items[1].unit_price is of type string, not a number":          item("unit_price", "9.99"),
		"created_at is missing":                                        without("created_at"),
		"created_at is of type string, not a date":                     set("created_at", "2023-11-14T22:13:20Z"),
		"created_at is 0001-01-01T00:00:00Z, which stands for no date": set("created_at", bson.DateTime(-62135596800000)),
		"created_at is in the year 12000":                              set("created_at", bson.DateTime(316517155200000)),
		"updated_at is of type string, not a date":                     set("updated_at", "today"),
	} {
		id, raw := predecessors(t, "paid")
		decoder := bson.NewDecoder(bson.NewDocumentReader(strings.NewReader(string(raw))))
		decoder.DefaultDocumentM()
		var m bson.M
		if err := decoder.Decode(&m); err != nil {
			t.Fatal(err)
		}
		spoil(m)
		spoilt, err := bson.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		a, err := document.Adopt(id, spoilt, usd(t))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, %v, want %s", a, err, want)
		}
	}
}
