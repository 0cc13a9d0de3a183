package importing_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// excerptCounts is what the excerpt comes to. 558077 and 542217, 544926 have lines that differ.
func excerptCounts() counts {
	return counts{
		Read: 30, Created: 24, Rejected: 6, Lines: 341, LinesRejected: 25, LinesCreated: 316, Merged: 3,
		Totals: map[string]string{"GBP": "10065.09"},
	}
}

// exactly compares orders down to their stored values.
func exactly() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b money.Price) bool { return a == b }),
		cmp.Comparer(func(a, b money.Currency) bool { return a == b }),
	}
}

func TestRealOrders(t *testing.T) {
	shop := newShop(t)
	got, rejects := run(t, retail(t), shop, excerpt(t))
	check(t, "summary", excerptCounts(), got)

	london, _ := time.LoadLocation("Europe/London")
	first := shop.order("536365")
	check(t, "customer", "17850", first.CustomerID)
	check(t, "date", time.Date(2010, 12, 1, 8, 26, 0, 0, london).UTC(), first.PlacedAt)
	check(t, "metadata", map[string]string{"country": "United Kingdom"}, first.Metadata)
	check(t, "total", "139.12", first.Total.Decimal(first.Currency))
	check(t, "lines", 7, len(first.Lines))
	check(t, "name", "WHITE HANGING HEART T-LIGHT HOLDER", first.Lines[0].Name)

	check(t, "quotes", `RECORD FRAME 7" SINGLE SIZE `, nameOf(shop.order("536477"), "22041"))
	check(t, "comma", "AIRLINE LOUNGE,METAL SIGN", nameOf(shop.order("536381"), "82567"))
	// The lines of one order bear 17:50 and 17:51.
	check(t, "earliest date", time.Date(2011, 2, 24, 17, 50, 0, 0, london).UTC(), shop.order("544926").PlacedAt)
	check(t, "first value", "United Kingdom", shop.order("558077").Metadata["country"])

	rows := readCSV(t, rejects)
	check(t, "rejects", 1+25, len(rows))
	header, _, _ := strings.Cut(rejects, "\n")
	check(t, "header", "line,reference,reasons,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country", header)
	for _, row := range rows[1:] {
		if row[1] != row[3] || row[2] == "" {
			t.Errorf("row %q: the reference or the reasons are wrong", row)
		}
	}
	check(t, "the reason of a canceled order", "quantity must be a whole number from 1 to 1,000,000", rows[1][2])
	i := slices.IndexFunc(rows, func(row []string) bool { return row[1] == "536414" })
	check(t, "the reason of no customer", "customer_id is required: 1 to 128 characters", rows[i][2])
}

func nameOf(o order.Snapshot, sku string) string {
	for i := range o.Lines {
		if o.Lines[i].SKU == sku {
			return o.Lines[i].Name
		}
	}
	return ""
}

func readCSV(t testing.TB, text string) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("read the rejects: %v", err)
	}
	return rows
}

// A second run makes nothing new and changes nothing.
func TestSecondRun(t *testing.T) {
	shop := newShop(t)
	_, rejects := run(t, retail(t), shop, excerpt(t))
	before := shop.orders()

	want := excerptCounts()
	want.Created, want.Existing, want.LinesCreated, want.Totals = 0, want.Created, 0, map[string]string{}
	got, again := run(t, retail(t), shop, excerpt(t))
	check(t, "summary", want, got)
	check(t, "rejects", rejects, again)
	if diff := cmp.Diff(before, shop.orders(), exactly()); diff != "" {
		t.Errorf("orders have changed:\n%s", diff)
	}
}

// A dry run counts and refuses the same, and keeps nothing.
func TestDryRun(t *testing.T) {
	_, rejects := run(t, retail(t), newShop(t), excerpt(t))
	got, dry := run(t, retail(t), importing.DryRun{Now: now}, excerpt(t))
	check(t, "summary", excerptCounts(), got)
	check(t, "rejects", rejects, dry)
}

// What does not fit into memory goes aside, and the same comes of it.
func TestFilesOnTheSide(t *testing.T) {
	shop := newShop(t)
	_, rejects := run(t, retail(t), shop, excerpt(t))
	want := shop.orders()
	for _, memory := range []int{1, 3_000, 20_000} {
		shop := newShop(t)
		options := retail(t)
		options.Memory, options.TempDir = memory, t.TempDir()
		got, aside := run(t, options, shop, excerpt(t))
		check(t, "summary", excerptCounts(), got)
		if diff := cmp.Diff(want, shop.orders(), exactly()); diff != "" {
			t.Errorf("orders differ with %d bytes of memory:\n%s", memory, diff)
		}
		check(t, "rejects", sorted(rejects), sorted(aside))
		if left := listed(t, options.TempDir); len(left) > 0 {
			t.Errorf("files were left behind: %v", left)
		}
	}
}

func sorted(text string) []string { return slices.Sorted(strings.Lines(text)) }

// Lines in any order make the same orders, but for the order of their items.
func TestShuffled(t *testing.T) {
	shop := newShop(t)
	run(t, retail(t), shop, excerpt(t))
	want := shop.orders()

	lines := slices.Collect(strings.Lines(excerpt(t)))
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same every time
	random.Shuffle(len(lines)-1, func(i, j int) { lines[i+1], lines[j+1] = lines[j+1], lines[i+1] })
	shuffled := newShop(t)
	got, _ := run(t, retail(t), shuffled, strings.Join(lines, ""))
	check(t, "summary", excerptCounts(), got)
	anyOrder := cmp.Options{
		exactly(), cmpopts.IgnoreFields(order.Snapshot{}, "Origin", "Metadata"), // the first value depends on the order
		cmpopts.SortSlices(func(a, b order.Line) bool {
			return a.SKU+a.Name < b.SKU+b.Name || (a.SKU == b.SKU && a.Quantity < b.Quantity)
		}),
	}
	if diff := cmp.Diff(want, shuffled.orders(), anyOrder); diff != "" {
		t.Errorf("orders differ:\n%s", diff)
	}
}

// The year before comes with other dates, which need no layout.
func TestOtherYear(t *testing.T) {
	want := newShop(t)
	run(t, retail(t), want, excerpt(t))

	rows := readCSV(t, excerpt(t))
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	for i, row := range rows {
		if i > 0 {
			date, err := time.Parse("1/2/06 15:04", row[4])
			if err != nil {
				t.Fatal(err)
			}
			row[4] = date.Format(time.DateTime)
		}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	options := retail(t)
	options.DateLayout = ""
	shop := newShop(t)
	got, _ := run(t, options, shop, text.String())
	check(t, "summary", excerptCounts(), got)
	if diff := cmp.Diff(want.orders(), shop.orders(), exactly()); diff != "" {
		t.Errorf("orders differ:\n%s", diff)
	}
}

// The same text comes in many wrappings.
func TestWrappings(t *testing.T) {
	text := excerpt(t)
	for name, in := range map[string]io.Reader{
		"byte-order mark": strings.NewReader("\xef\xbb\xbf" + text),
		"CRLF":            strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n")),
		"no last newline": strings.NewReader(strings.TrimSuffix(text, "\n")),
		"blank lines":     strings.NewReader("\n\r\n" + strings.ReplaceAll(text, "\n", "\n\n")),
		"byte by byte":    iotest.OneByteReader(strings.NewReader(text)),
		"data with EOF":   iotest.DataErrReader(strings.NewReader(text)),
		"gzip":            bytes.NewReader(zipped(t, text)),
		"gzip in parts":   bytes.NewReader(append(zipped(t, text[:5_000]), zipped(t, text[5_000:])...)),
		"gzip with mark":  bytes.NewReader(zipped(t, "\xef\xbb\xbf"+text)),
	} {
		t.Run(name, func(t *testing.T) {
			summary, err := importing.Run(t.Context(), retail(t), newShop(t), in, nil)
			if err != nil {
				t.Fatal(err)
			}
			check(t, "summary", excerptCounts(), countsOf(summary))
		})
	}
}

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The rejects, once mended, are a file to import.
func TestMendedRejects(t *testing.T) {
	shop := newShop(t)
	_, rejects := run(t, retail(t), shop, excerpt(t))
	rows := readCSV(t, rejects)
	var mended bytes.Buffer
	w := csv.NewWriter(&mended)
	for i, row := range rows {
		if i > 0 {
			row[6] = strings.TrimPrefix(row[6], "-")
			if row[9] == "" {
				row[9] = "12345"
			}
		}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	got, left := run(t, retail(t), shop, mended.String())
	check(t, "created", int64(6), got.Created)
	check(t, "rejects", strings.SplitAfter(rejects, "\n")[0], left)
}
