package importing_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/infrastructure/store/sqlite"
)

type nobody struct{}

func (nobody) Offer(time.Time) delivery.Handover { return delivery.Handover{Subscribers: []string{"aws", "s3"}} }
func (nobody) Accept(delivery.Handover, *order.Order, []order.Event, []delivery.Track) {}
func (nobody) Decline(delivery.Handover) {}

func TestWhole(t *testing.T) {
	loc, _ := time.LoadLocation("Europe/London")
	text, err := os.ReadFile(os.Getenv("IMPORT_FILE"))
	if err != nil {
		t.Skip()
	}
	var st ordering.Store
	if os.Getenv("SQL") != "" {
		s, err := sqlite.Open(sqlite.Config{Path: t.TempDir()+"/orders.db"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		st = s
	} else {
		st = memory.New().Open()
	}
	svc := ordering.New(ordering.Config{Store: st, Teller: nobody{}, Now: time.Now, DefaultCurrency: "USD"})
	var dest importing.Destination = importing.Direct{Service: svc, Caller: ordering.Caller{Subject: "anonymous"}}
	if os.Getenv("DRY") != "" {
		dest = importing.DryRun{Now: time.Now}
	}
	for range 2 {
		var rej bytes.Buffer
		start := time.Now()
		s, err := importing.Run(t.Context(), importing.Options{
			Columns: map[string]string{"reference": "InvoiceNo", "customer_id": "CustomerID", "sku": "StockCode", "quantity": "Quantity",
				"unit_price": "UnitPrice", "name": "Description", "placed_at": "InvoiceDate", "metadata.country": "Country"},
			Currency: "GBP", DateLayout: "1/2/06 15:04", Location: loc, Now: time.Now,
		}, dest, bytes.NewReader(text), &rej)
		t.Logf("%+v %v %v %v", s, s.Totals.Decimals(), err, time.Since(start))
		t.Log(rej.String()[:600], bytes.Count(rej.Bytes(), []byte("\n")))
	}
}
