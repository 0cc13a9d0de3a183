package edge_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/program"
)

// dangerous are texts that a spreadsheet would run, and some that only look alike.
var dangerous = []string{
	"=cmd|'/c calc'!A0", "+49 30 123", "-5", "@SUM(A1)", "=1", "'=1", "''+1", "'plain'", "O'Neill", "＝1", "a=b", `="x, y"`,
}

// export is the rows of a service's orders as CSV.
func export(t *testing.T, p *program.Program) [][]string {
	t.Helper()
	response, body := get(t, client(t, nil), p.URL+"/orders/export?format=csv", nil)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", response.Status, body)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestExportIsSafeAndComesBack exports orders with such texts everywhere: no cell is run by a spreadsheet, and what is imported
// from the export is the same orders.
func TestExportIsSafeAndComesBack(t *testing.T) {
	from, to := program.Start(t, t.TempDir(), nil), program.Start(t, t.TempDir(), nil)
	for _, text := range dangerous {
		body, err := json.Marshal(map[string]any{
			"customer_id": text, "reference": text, "currency": "EUR",
			"items": []map[string]any{{"sku": text, "name": text, "quantity": 2, "unit_price": "1.25"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, from.URL+"/orders", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		response, err := client(t, nil).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusCreated {
			t.Fatalf("%q: %s", text, response.Status)
		}
	}
	exported := export(t, from)
	for _, row := range exported {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("%q would be run", cell)
			}
		}
	}

	file := filepath.Join(t.TempDir(), "orders.csv")
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(exported); err != nil { // as a spreadsheet saves it
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), bootstrap.Commands(), []string{"import", file, "--url", to.URL}, cli.Streams{Out: &out, Err: &errs})
	if code != cli.ExitOK {
		t.Fatalf("the import ended with %d: %s%s", code, &out, &errs)
	}
	// Ids and times of taking are each service's own.
	const reference, sku = 2, 13
	same := func(rows [][]string) (texts []string) {
		for _, row := range rows {
			texts = append(texts, strings.Join(slices.Concat(row[1:8], row[sku:]), "|"))
		}
		slices.Sort(texts)
		return texts
	}
	if got, want := same(export(t, to)), same(exported); !slices.Equal(got, want) {
		t.Errorf("came back\n%s\nof\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(exported) != len(dangerous)+1 || exported[0][reference] != "reference" || exported[0][sku] != "sku" {
		t.Errorf("exported are %q", exported)
	}
}
