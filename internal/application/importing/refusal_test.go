package importing_test

import (
	"fmt"
	"strings"
	"testing"

	"order-processing-service/internal/application/importing"
)

const (
	mustBeQuantity = "quantity must be a whole number from 1 to 1,000,000"
	mustBePrice    = "unit_price must be a decimal number such as 12.50"
	totalTooLarge  = "items add up to too much: the order's total comes to more than 999,999,999,999,999 minor units (15 digits); " +
		"lower the quantity or the price, or split the order"
)

// Each row of rejects is told with its line and every reason, exactly.
func TestReasons(t *testing.T) {
	for name, test := range map[string]struct {
		lines   string // behind the header
		created int64
		want    []string // the rejects, behind their header
	}{
		"nothing": {lines: "A,c,TEA,2,1.50\n", created: 1},
		"every reason of a line": {
			lines: "A,c,TEA,2,1.50\nA,c,,-1,x\n",
			want: []string{
				"2,A,refused with its order: see line 3,A,c,TEA,2,1.50",
				`3,A,"sku is required: 1 to 64 characters; ` + mustBeQuantity + `; ` + mustBePrice + `",A,c,,-1,x`,
			},
		},
		"other orders stay": {
			lines:   "A,c,TEA,0,1\nB,c,TEA,1,1\nA,c,TEA,1,1\n",
			created: 1,
			want:    []string{`2,A,"` + mustBeQuantity + `",A,c,TEA,0,1`, "4,A,refused with its order: see line 2,A,c,TEA,1,1"},
		},
		"no reference": {
			lines:   ",c,TEA,1,1\nA,c,TEA,1,1\n,c,TEA,1,1\n",
			created: 1,
			want: []string{
				"2,,reference is required: lines without one belong to no order,,c,TEA,1,1",
				"4,,reference is required: lines without one belong to no order,,c,TEA,1,1",
			},
		},
		"no customer on one line": {
			lines: "A,c,TEA,1,1\nA,,TEA,1,1\n",
			want: []string{
				"2,A,refused with its order: see line 3,A,c,TEA,1,1",
				"3,A,customer_id is required: 1 to 128 characters,A,,TEA,1,1",
			},
		},
		"two customers": {
			lines: "A,c,TEA,1,1\nA,d,TEA,1,1\n",
			want: []string{
				`2,A,"customer_id must be the same on every line of an order: it is ""c"" on line 2 and ""d"" on line 3",A,c,TEA,1,1`,
				`3,A,"customer_id must be the same on every line of an order: it is ""c"" on line 2 and ""d"" on line 3",A,d,TEA,1,1`,
			},
		},
		"too few fields": {
			lines: "A,c,TEA,1,1\nA,c,TEA\nB,c,TEA,1,1\n", created: 1,
			want: []string{"2,A,refused with its order: see line 3,A,c,TEA,1,1", "3,A,\"the line has 3 fields, the header has 5\",A,c,TEA"},
		},
		"too many fields": {
			lines: "A,c,TEA,1,1,2\n",
			want:  []string{"2,A,\"the line has 6 fields, the header has 5\",A,c,TEA,1,1,2"},
		},
		"quote inside": {
			lines: "A,c,7\" TEA,1,1\nB,c,TEA,1,1\n", created: 1,
			want: []string{
				`2,A,"a quote ("") stands inside a field that does not begin with one: ` +
					`put the field in quotes and double the quote","A,c,7"" TEA,1,1"`,
			},
		},
		"stray quote takes no other line with it": {
			lines: "A,c,\"TEA,1,1\nB,c,TEA,1,1\nC,c,\"T\",1,1\nA,c,TEA,1,1\n", created: 2,
			want: []string{
				`2,A,text follows the closing quote of a field: double a quote that belongs to the text,"A,c,""TEA,1,1"`,
				"5,A,refused with its order: see line 2,A,c,TEA,1,1",
			},
		},
		"quote never closed": {
			lines: "A,c,\"TEA,1,1\nB,c,TEA,1,1\n", created: 1,
			want: []string{`2,A,a quoted field is not closed,"A,c,""TEA,1,1"`},
		},
		"quote closed by chance": {
			lines: "A,c,\"TEA,1,1\nB,c,TEA\",1,1\nC,c,TEA,1,1\n", created: 1,
			want: []string{"2,A,sku must not contain control characters,A,c,\"TEA,1,1\nB,c,TEA\",1,1"},
		},
		"invalid UTF-8": {
			lines: "A,c,T\xff,1,1\nB,c,TEA,1,1\n", created: 1,
			want: []string{"2,A,the line is not valid UTF-8: save the file as UTF-8,A,c,T\xff,1,1"},
		},
		"control character": {
			lines: "A,c,T\x00EA,1,1\n",
			want:  []string{"2,A,sku must not contain control characters,A,c,T\x00EA,1,1"},
		},
		"numbers as spreadsheets write them": {lines: "A,c,TEA,2.0, 1.50\nB,c,TEA, 2,0\n", created: 2},
		"numbers that are none": {
			lines: "A,c,TEA,2.5,1\nB,c,TEA,1e2,1\nC,c,TEA,,1\nD,c,TEA,1,\nE,c,TEA,1,-0.01\nF,c,TEA,99999999999999999999,1\nG,c,TEA,+1,1\n",
			want: []string{
				`2,A,"` + mustBeQuantity + `",A,c,TEA,2.5,1`,
				`3,B,"` + mustBeQuantity + `",B,c,TEA,1e2,1`,
				`4,C,"` + mustBeQuantity + `",C,c,TEA,,1`,
				"5,D,unit_price is required: a decimal number such as 12.50,D,c,TEA,1,",
				"6,E,unit_price must be zero or more,E,c,TEA,1,-0.01",
				`7,F,"` + mustBeQuantity + `",F,c,TEA,99999999999999999999,1`,
				`8,G,"` + mustBeQuantity + `",G,c,TEA,+1,1`,
			},
		},
		"total too large": {
			lines: "A,c,TEA,1,9999999999999.99\nA,c,TEA,1,0.01\n",
			want: []string{
				`2,A,"` + totalTooLarge + `",A,c,TEA,1,9999999999999.99`,
				`3,A,"` + totalTooLarge + `",A,c,TEA,1,0.01`,
			},
		},
		"long texts": {
			lines: strings.Repeat("R", 129) + "," + strings.Repeat("é", 129) + ",TEA,1,1\n",
			want: []string{"2," + strings.Repeat("R", 129) +
				",customer_id must have at most 128 characters; reference must have at most 128 characters," +
				strings.Repeat("R", 129) + "," + strings.Repeat("é", 129) + ",TEA,1,1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, memory := range []int{0, 1} { // what goes aside is refused the same
				options := plain()
				options.Memory, options.TempDir = memory, t.TempDir()
				got, rejects := run(t, options, newShop(t), header+test.lines)
				check(t, "created", test.created, got.Created)
				check(t, "lines refused", int64(len(test.want)), got.LinesRejected)
				check(t, "rejects", sorted("line,reference,reasons,"+header+strings.Join(append(test.want, ""), "\n")), sorted(rejects))
			}
		})
	}
}

// Every line of a large order has its own reasons.
func TestReasonsOfManyLines(t *testing.T) {
	got, rejects := run(t, plain(), newShop(t), header+strings.Repeat("A,c,TEA,-1,x\n", 1_000))
	check(t, "lines refused", int64(1_000), got.LinesRejected)
	rows := readCSV(t, rejects)
	check(t, "rejects", 1_001, len(rows))
	for _, row := range rows[1:] {
		check(t, "reasons", mustBeQuantity+"; "+mustBePrice, row[2])
	}
}

// An order of more than 1,000 lines is refused whole, wherever its lines stand and whatever the memory.
func TestTooManyLines(t *testing.T) {
	var text strings.Builder
	text.WriteString(header)
	for i := range 2_500 {
		text.WriteString("BIG,c,TEA,1,1\n")
		if i%100 == 0 {
			fmt.Fprintf(&text, "S%d,c,TEA,1,1\n", i)
		}
	}
	for _, memory := range []int{0, 1, 50_000, 200_000} {
		shop := newShop(t)
		options := plain()
		options.Memory, options.TempDir = memory, t.TempDir()
		got, rejects := run(t, options, shop, text.String())
		check(t, "summary", counts{
			Read: 26, Created: 25, Rejected: 1, Lines: 2_525, LinesRejected: 2_500, LinesCreated: 25,
			Totals: map[string]string{"EUR": "25.00"},
		}, got)
		seen := make(map[string]bool)
		for _, row := range readCSV(t, rejects)[1:] {
			seen[row[0]] = true
			check(t, "reason", "the order has more than 1,000 lines; split it", row[2])
		}
		check(t, "rejects", 2_500, len(seen))
	}
	_, rejects := run(t, plain(), newShop(t), header+strings.Repeat("BIG,c,TEA,1,1\n", 1_000))
	check(t, "rejects of 1,000 lines", 1, len(readCSV(t, rejects)))
}

// The same reference with other content is reported and not overwritten.
func TestOtherContent(t *testing.T) {
	shop := newShop(t)
	run(t, plain(), shop, header+"A,c,TEA,1,1\nB,c,TEA,1,1\n")
	got, rejects := run(t, plain(), shop, header+"A,c,TEA,2,1\nB,c,TEA,1,1.00\nC,c,TEA,1,1\n")
	check(t, "summary", counts{
		Read: 3, Created: 1, Existing: 1, Rejected: 1, Lines: 3, LinesRejected: 1, LinesCreated: 1,
		Totals: map[string]string{"EUR": "1.00"},
	}, got)
	check(t, "rejects", "line,reference,reasons,"+header+
		"2,A,an order with this reference is there already with other content; it is left as it is,A,c,TEA,2,1\n", rejects)
	check(t, "quantity", int64(1), shop.order("A").Lines[0].Quantity)
}

// References that can't be part of a key decide ids as well.
func TestOddReferences(t *testing.T) {
	long := strings.Repeat("é", 128)
	for _, reference := range []string{"Ä-1", long, "A B/C"} {
		shop := newShop(t)
		text := header + reference + ",c,TEA,1,1\n"
		run(t, plain(), shop, text)
		got, _ := run(t, plain(), shop, text)
		check(t, "there already", int64(1), got.Existing)
		check(t, "reference", reference, shop.order(reference).Reference)
	}
	check(t, "key", "import/A-17", importing.KeyOf("A-17"))
}

// Totals are summed by currency.
func TestCurrencies(t *testing.T) {
	got, _ := run(t, plain(), newShop(t), "currency,"+header+"JPY,A,c,TEA,3,100\n,B,c,TEA,1,0.015\nKWD,C,c,TEA,1,1.5\nJPY,D,c,TEA,1,1\n")
	check(t, "totals", map[string]string{"JPY": "301", "EUR": "0.02", "KWD": "1.500"}, got.Totals)
	_, rejects := run(t, plain(), newShop(t), "currency,"+header+"JPY,A,c,TEA,3,100\n,A,c,TEA,1,1\neur,B,c,TEA,1,1\n")
	rows := readCSV(t, rejects)
	check(t, "two currencies", `currency must be the same on every line of an order: it is "JPY" on line 2 and "EUR" on line 3`, rows[1][2])
	check(t, "no currency", "currency must be an ISO 4217 currency code in upper case, such as USD, EUR or JPY", rows[3][2])
}
