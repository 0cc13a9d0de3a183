package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"order-processing-service/internal/application/importing"
)

// importReport is what `orders import --output json` prints.
type importReport struct {
	OrdersRead     int64 `json:"orders_read"`
	OrdersCreated  int64 `json:"orders_created"`
	OrdersExisting int64 `json:"orders_existing"`
	OrdersRejected int64 `json:"orders_rejected"`
	LinesRead      int64 `json:"lines_read"`
	LinesRejected  int64 `json:"lines_rejected"`
	// Totals are decimal numbers by ISO 4217 code.
	Totals map[string]string `json:"totals"`
}

func reportOf(s importing.Summary) importReport {
	return importReport{
		OrdersRead: s.OrdersRead, OrdersCreated: s.OrdersCreated, OrdersExisting: s.OrdersExisting,
		OrdersRejected: s.OrdersRejected, LinesRead: s.LinesRead, LinesRejected: s.LinesRejected,
		Totals: s.Totals.Decimals(),
	}
}

// printReport writes the report for people.
func printReport(w io.Writer, s importing.Summary, dryRun bool) error {
	created, total, existing := "orders created", "total created, ", number(s.OrdersExisting)
	if dryRun {
		// It asks no store, so a number here would be taken for an answer.
		created, total, existing = "orders to be created", "total to be created, ", "not checked"
	}
	rows := [][2]string{
		{"orders read", number(s.OrdersRead)},
		{created, number(s.OrdersCreated)},
		{"orders there already", existing},
		{"orders refused", number(s.OrdersRejected)},
		{"lines read", number(s.LinesRead)},
		{"lines refused", number(s.LinesRejected)},
	}
	totals := s.Totals.Decimals()
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		rows = append(rows, [2]string{total + currency, grouped(totals[currency])})
	}
	return printFigures(w, rows)
}

// printFigures writes one figure a line, the figures under each other.
func printFigures(w io.Writer, rows [][2]string) error {
	name, figure := 0, 0
	for _, row := range rows {
		name, figure = max(name, len(row[0])), max(figure, len(row[1]))
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(w, "%-*s  %*s\n", name, row[0], figure, row[1]); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

func number(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// grouped parts the digits before the decimal point with commas, three by three.
func grouped(decimal string) string {
	whole, fraction, _ := strings.Cut(decimal, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}
