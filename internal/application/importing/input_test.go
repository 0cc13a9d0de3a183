package importing_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/domain/fault"
)

// What can't be imported at all is said at once, with what to do.
func TestUnusableInput(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want string
	}{
		"empty":          {"", "the input is empty"},
		"only a mark":    {"\xef\xbb\xbf", "the input has no header line"},
		"blank":          {"\n\n", "the input has no header line"},
		"UTF-16":         {"\xff\xfea\x00", "the input is UTF-16: save it as UTF-8"},
		"spreadsheet":    {"PK\x03\x04....", "save the lines as CSV"},
		"binary":         {"\x7fELF\x00\x00,\x01", "the input is not text"},
		"latin-1 header": {"r\xe9f\n", "the line is not valid UTF-8"},
		"endless header": {strings.Repeat("x", 3<<20), "the line is longer than 1 MiB"},
		"JSON array":     {"[{}]", "the input is a JSON array: write one order a line"},
		"broken gzip":    {"\x1f\x8b\x00\x00\x00", "begins like gzip but is damaged"},
		"no header": {
			"A,c,TEA,1,1\n", "no column is known for reference, customer_id, sku, quantity, unit_price: " +
				`name it with --column reference=HEADER (the columns are "A", "c", "TEA", "1", "1")`,
		},
		"one missing": {
			"reference,customer_id,sku,unit_price\n", "no column is known for quantity: name it with --column quantity=HEADER",
		},
		"semicolons": {"reference;customer_id;sku\n", "the header has no commas; save the file with commas between the fields"},
		"twice":      {"sku," + header, `two columns are called "sku"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := fails(t, plain(), importing.DryRun{Now: now}, strings.NewReader(test.text))
			if kind := fault.KindOf(err); kind != fault.Malformed && kind != fault.Invalid {
				t.Errorf("the error is of kind %d", kind)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want it to say %q", err, test.want)
			}
		})
	}
}

func TestUnusableOptions(t *testing.T) {
	for name, test := range map[string]struct {
		columns  map[string]string
		currency string
		text     string
		want     string
	}{
		"field":        {map[string]string{"quantity": "Anzahl"}, "EUR", header, `no column is called "Anzahl"`},
		"metadata":     {map[string]string{"metadata.country": "Land"}, "EUR", header, `no column is called "Land"`},
		"currency":     {nil, "", header, "no currency is known: give --currency CODE or --column currency=HEADER"},
		"not all":      {map[string]string{"reference": "R", "sku": "S"}, "EUR", "R,S\n", "no column is known for customer_id, quantity"},
		"all together": {map[string]string{"name": "N"}, "", "reference\n", `no column is called "N"; no column is known for cust`},
	} {
		t.Run(name, func(t *testing.T) {
			options := importing.Options{Columns: test.columns, Now: now}
			if test.currency != "" {
				options.Currency = currency(test.currency)
			}
			err := fails(t, options, importing.DryRun{Now: now}, strings.NewReader(test.text))
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want it to say %q", err, test.want)
			}
		})
	}
}

// An input that breaks off makes no order at all, since lines of any order may be missing.
func TestDamagedInput(t *testing.T) {
	whole := zipped(t, excerpt(t))
	broken := errors.New("the disk is gone")
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0x55
	for name, in := range map[string]io.Reader{
		"cut short":      bytes.NewReader(whole[:len(whole)/2]),
		"bytes changed":  bytes.NewReader(flipped),
		"reading failed": io.MultiReader(strings.NewReader(excerpt(t)[:9_000]), iotest.ErrReader(broken)),
	} {
		t.Run(name, func(t *testing.T) {
			shop := newShop(t)
			for _, memory := range []int{0, 1} {
				options := retail(t)
				options.Memory, options.TempDir = memory, t.TempDir()
				err := fails(t, options, shop, in)
				if name == "reading failed" && memory == 0 && !errors.Is(err, broken) {
					t.Errorf("got %v, want %v", err, broken)
				}
				check(t, "orders", 0, len(shop.orders()))
				check(t, "files left", 0, len(listed(t, options.TempDir)))
			}
		})
	}
}

// Lines without end are refused without being held, and what follows is read.
func TestEndlessLines(t *testing.T) {
	endless, field := strings.Repeat("x", 5<<20), strings.Repeat(strings.Repeat("x", 60_000)+"\n", 20)
	text := header + "A,c,TEA,1,1\nB,c," + endless + "\nB,c,TEA,1,1\nC,c,\"" + field + "\nD,c,TEA,1,1\n"
	shop := newShop(t)
	got, rejects := run(t, plain(), shop, text)
	rows := readCSV(t, rejects)
	check(t, "created", int64(2), got.Created)
	check(t, "line of the endless line", []string{"3", "B", "the line is longer than 1 MiB; only its beginning is kept here"}, rows[1][:3])
	check(t, "its order", []string{"4", "B", "refused with its order: see line 3"}, rows[2][:3])
	check(t, "line of the endless field", []string{"5", "C", "a quoted field is not closed"}, rows[3][:3])
	check(t, "lines read", got.Created+got.LinesRejected, got.Lines)
}

// Fields may hold line breaks; numbers count lines of text.
func TestQuotedFields(t *testing.T) {
	text := "note," + header + "\"one\ntwo\r\nthree\",A,c,TEA,1,1\n\"\",\"B\",\"c\",\"TE\"\"A\"\"\",\"1\",\"1\"\r\nx,C,c,,1,1\n"
	shop := newShop(t)
	got, rejects := run(t, plain(), shop, text)
	check(t, "created", int64(2), got.Created)
	check(t, "sku", `TE"A"`, shop.order("B").Lines[0].SKU)
	check(t, "line", "6", readCSV(t, rejects)[1][0])
}

func TestDates(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-15T09:30:00Z":        "2026-01-15T09:30:00Z",
		"2026-01-15T09:30:00.5+01:00": "2026-01-15T08:30:00.5Z",
		"2026-01-15 09:30:00+01:00":   "2026-01-15T08:30:00Z",
		"2009-12-01 07:45:00":         "2009-12-01T07:45:00Z",
		"2009-12-01T07:45":            "2009-12-01T07:45:00Z",
		" 2009-12-01 ":                "2009-12-01T00:00:00Z",
		"":                            "2026-03-01T12:00:00Z",
		"12/1/10 8:26":                "",
		"2026-02-30":                  "",
		"2026-12-01":                  "",
		"1899-12-31":                  "",
		"today":                       "",
	} {
		shop := newShop(t)
		got, rejects := run(t, plain(), shop, "placed_at,"+header+text+",A,c,TEA,1,1\n")
		if want == "" {
			check(t, "refused "+text, int64(1), got.Rejected)
			if reason := readCSV(t, rejects)[1][2]; !strings.HasPrefix(reason, "placed_at ") {
				t.Errorf("%q is refused because %q", text, reason)
			}
			continue
		}
		check(t, "date of "+text, want, shop.order("A").PlacedAt.Format("2006-01-02T15:04:05.999Z07:00"))
	}
}
