package cli_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/interfaces/cli"
)

// imported runs an import and tells what the work behind it was given.
func imported(t *testing.T, args ...string) (cli.ImportOptions, string) {
	t.Helper()
	var options cli.ImportOptions
	var content []byte
	c := commands()
	c.Import = func(_ context.Context, _ cli.Streams, o cli.ImportOptions) (err error) {
		options = o
		if o.Rejects != nil {
			if _, err := io.WriteString(o.Rejects, "refused\n"); err != nil {
				return err
			}
		}
		content, err = io.ReadAll(o.Input)
		return err
	}
	if got := run(t, c, append([]string{"import"}, args...)...); got.code != cli.ExitOK {
		t.Fatalf("outcome %+v", got)
	}
	return options, string(content)
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImportOptions(t *testing.T) {
	input := write(t, "orders.csv", "sku\n")
	rejects := filepath.Join(t.TempDir(), "refused.csv")
	o, content := imported(t, input,
		"--column", "sku=StockCode", "--column", "customer_id=Customer ID, old", "--column", "metadata.country=Country=2",
		"--currency", "GBP", "--date-layout", "2006-01-02 15:04:05", "--time-zone", "Europe/London",
		"--dry-run", "--as-history", "--rejects", rejects, "--output", "json", "--data-dir", "d")
	if content != "sku\n" || o.Name != input || o.Size != 4 {
		t.Errorf("input %q, name %s, size %d", content, o.Name, o.Size)
	}
	columns := map[string]string{"sku": "StockCode", "customer_id": "Customer ID, old", "metadata.country": "Country=2"}
	if diff := cmp.Diff(columns, o.Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if o.Currency.Code() != "GBP" || o.DateLayout != "2006-01-02 15:04:05" || o.Location.String() != "Europe/London" {
		t.Errorf("currency %s, layout %s, zone %s", o.Currency, o.DateLayout, o.Location)
	}
	if !o.DryRun || !o.AsHistory || !o.JSON || o.Overrides["DATA_DIR"] != "d" {
		t.Errorf("options %+v", o)
	}
	if got, err := os.ReadFile(rejects); err != nil || string(got) != "refused\n" {
		t.Errorf("rejects hold %q, %v", got, err)
	}
}

func TestImportDefaults(t *testing.T) {
	o, content := imported(t, "-")
	if content != "from standard input" || o.Name != "-" || o.Size != -1 {
		t.Errorf("input %q, name %s, size %d", content, o.Name, o.Size)
	}
	if len(o.Columns) != 0 || !o.Currency.IsZero() || o.DateLayout != "" || o.Location != time.UTC || o.Rejects != nil ||
		o.DryRun || o.AsHistory || o.JSON || o.URL != "" || len(o.Overrides) != 0 {
		t.Errorf("options %+v", o)
	}
	if o, _ := imported(t, "-", "--url", "https://orders.example/prod/"); o.URL != "https://orders.example/prod" {
		t.Errorf("URL %s", o.URL)
	}
}

func TestImportWrongUse(t *testing.T) {
	input := write(t, "orders.csv", "sku\n")
	long := strings.Repeat("k", 41)
	tests := map[string]struct {
		args []string
		want string
	}{
		"no file":             {nil, "name one file to import, or - for standard input, but got 0"},
		"two files":           {[]string{"a", "b"}, "but got 2"},
		"missing file":        {[]string{input + "x"}, "cannot read " + input + "x: no such file or directory"},
		"a folder":            {[]string{filepath.Dir(input)}, "it is a folder; name a file"},
		"column without =":    {[]string{"-", "--column", "sku"}, "write FIELD=HEADER, such as sku=StockCode"},
		"column to nothing":   {[]string{"-", "--column", "sku="}, "write FIELD=HEADER"},
		"column of nothing":   {[]string{"-", "--column", "=Price"}, "the field must be one of reference, customer_id, sku"},
		"unknown field":       {[]string{"-", "--column", "price=Price"}, "the field must be one of reference, customer_id, sku"},
		"metadata, no key":    {[]string{"-", "--column", "metadata.=Country"}, "a key of 1 to 40 characters"},
		"metadata, long key":  {[]string{"-", "--column", "metadata." + long + "=Country"}, "a key of 1 to 40 characters"},
		"field twice":         {[]string{"-", "--column", "sku=A", "--column", "sku=B"}, "sku has a column already"},
		"currency":            {[]string{"-", "--currency", "gbp"}, "give an ISO 4217 currency code in capitals, such as GBP"},
		"unknown currency":    {[]string{"-", "--currency", "ABC"}, "give an ISO 4217 currency code"},
		"layout of others":    {[]string{"-", "--date-layout", "YYYY-MM-DD"}, "write how 2 January 2006, 15:04:05 looks"},
		"layout without year": {[]string{"-", "--date-layout", "01-02"}, "write how 2 January 2006"},
		"zone":                {[]string{"-", "--time-zone", "London"}, "give a zone of the IANA database"},
		"empty zone":          {[]string{"-", "--time-zone", ""}, "give a zone of the IANA database"},
		"output":              {[]string{"-", "--output", "csv"}, "give text or json"},
		"URL":                 {[]string{"-", "--url", "ftp://x"}, "give the address of a service"},
		"URL and data folder": {[]string{"-", "--url", "http://x", "--data-dir", "d"}, "leave it out, or leave out --url"},
		"rejects onto input":  {[]string{input, "--rejects", input}, "is the file to import itself"},
		"rejects nowhere":     {[]string{input, "--rejects", input + "/x"}, "cannot write --rejects"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := commands()
			c.Import = func(context.Context, cli.Streams, cli.ImportOptions) error {
				t.Error("the import was started")
				return nil
			}
			got := run(t, c, append([]string{"import"}, tt.args...)...)
			if got.code != cli.ExitUsage || !strings.Contains(got.err, tt.want) || strings.Count(got.err, "\n") != 1 {
				t.Errorf("outcome %+v, want %q", got, tt.want)
			}
		})
	}
	if got, err := os.ReadFile(input); err != nil || string(got) != "sku\n" {
		t.Errorf("the input now holds %q, %v", got, err)
	}
}
