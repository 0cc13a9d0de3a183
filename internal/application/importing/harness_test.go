package importing_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	subject = "anonymous"
	header  = "reference,customer_id,sku,quantity,unit_price\n"
)

func now() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

// quiet tells nobody.
type quiet struct{}

func (quiet) Offer(time.Time) delivery.Handover                                       { return delivery.Handover{} }
func (quiet) Accept(delivery.Handover, *order.Order, []order.Event, []delivery.Track) {}
func (quiet) Decline(delivery.Handover)                                               {}

// shop is a service on a store of its own, and a destination that places orders there.
type shop struct {
	importing.Direct
	t testing.TB
}

func newShop(t testing.TB) shop {
	t.Helper()
	store := memory.New().Open()
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	service := ordering.New(ordering.Config{Store: store, Teller: quiet{}, Now: now, DefaultCurrency: "USD"})
	return shop{Direct: importing.Direct{Service: service, Caller: ordering.Caller{Subject: subject}}, t: t}
}

// order returns the order with the reference.
func (s shop) order(reference string) order.Snapshot {
	s.t.Helper()
	o, err := s.Service.Read(s.t.Context(), ordering.Caller{}, order.KeyedID(subject, "order", importing.KeyOf(reference)))
	if err != nil {
		s.t.Fatalf("read order %s: %v", reference, err)
	}
	return o.Snapshot()
}

// orders returns all orders by reference.
func (s shop) orders() map[string]order.Snapshot {
	s.t.Helper()
	all := make(map[string]order.Snapshot)
	for o, err := range s.Service.All(s.t.Context(), ordering.Caller{}, ordering.Query{}) {
		if err != nil {
			s.t.Fatalf("list orders: %v", err)
		}
		if _, twice := all[o.View().Reference]; twice {
			s.t.Errorf("order %s is there twice", o.View().Reference)
		}
		all[o.View().Reference] = o.Snapshot()
	}
	return all
}

// plain are the options for a file whose columns are named like the fields.
func plain() importing.Options { return importing.Options{Currency: currency("EUR"), Now: now} }

func currency(code string) money.Currency {
	c, err := money.CurrencyOf(code)
	if err != nil {
		panic(err)
	}
	return c
}

// retail are the options for the excerpt.
func retail(t testing.TB) importing.Options {
	t.Helper()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return importing.Options{
		Columns: map[string]string{
			"reference": "InvoiceNo", "customer_id": "CustomerID", "sku": "StockCode", "quantity": "Quantity",
			"unit_price": "UnitPrice", "name": "Description", "placed_at": "InvoiceDate", "metadata.country": "Country",
		},
		Currency: currency("GBP"), DateLayout: "1/2/06 15:04", Location: london, Now: now,
	}
}

func excerpt(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/online-retail-excerpt.csv")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run imports a text and returns what came of it, the totals as texts, and the rejects.
func run(t testing.TB, o importing.Options, to importing.Destination, text string) (counts, string) {
	t.Helper()
	var rejects bytes.Buffer
	summary, err := importing.Run(t.Context(), o, to, strings.NewReader(text), &rejects)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return countsOf(summary), rejects.String()
}

// counts is a Summary that is easy to compare.
type counts struct {
	Read, Created, Existing, Rejected          int64
	Lines, LinesRejected, LinesCreated, Merged int64
	Totals                                     map[string]string
}

func countsOf(s importing.Summary) counts {
	return counts{
		s.OrdersRead, s.OrdersCreated, s.OrdersExisting, s.OrdersRejected,
		s.LinesRead, s.LinesRejected, s.LinesCreated, s.Merged, s.Totals.Decimals(),
	}
}

// check compares.
func check(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is wrong (-want +got):\n%s", what, diff)
	}
}

// fails imports what must fail as a whole, and returns the error.
func fails(t testing.TB, o importing.Options, to importing.Destination, in io.Reader) error {
	t.Helper()
	summary, err := importing.Run(t.Context(), o, to, in, io.Discard)
	if err == nil {
		t.Fatalf("the import worked: %+v", summary)
	}
	return err
}

// listed returns the names of the files in a folder.
func listed(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
