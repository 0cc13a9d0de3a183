package cli_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/interfaces/cli"
)

func now() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

// importText runs the import command on a text, into a destination.
func importText(t *testing.T, to importing.Destination, text string, args ...string) outcome {
	t.Helper()
	c := commands()
	c.Import = func(ctx context.Context, streams cli.Streams, o cli.ImportOptions) error {
		if o.Currency.IsZero() {
			o.Currency, _ = money.CurrencyOf("USD")
		}
		return cli.RunImport(ctx, streams, o, to, now)
	}
	return run(t, c, append([]string{"import", write(t, "orders.csv", text)}, args...)...)
}

// placer is a destination that is a function.
type placer func(orders []ordering.Place) ([]importing.Outcome, error)

func (p placer) Place(_ context.Context, orders []ordering.Place) ([]importing.Outcome, error) {
	return p(orders)
}

const lines = "reference,customer_id,sku,quantity,unit_price,placed_at\n" +
	"A,c,TEA,1000,1234.5,2026-01-01\nA,c,TEA,1,1,2026-01-02\nB,c,TEA,0,1,\nC,c,TEA,1,1,\n"

func TestImportReport(t *testing.T) {
	merged := "orders: the lines of 1 order differ in date or metadata: the earliest date and the first value were taken\n"
	rejects := t.TempDir() + "/rejects.csv"
	hint := "orders: import again with --rejects FILE to see why lines were refused\n"
	tests := map[string]struct {
		args []string
		want outcome
	}{
		"text": {[]string{"--dry-run"}, outcome{code: cli.ExitOK, err: merged + hint, out: `orders read                          3
orders to be created                 2
orders there already       not checked
orders refused                       1
lines read                           4
lines refused                        1
total to be created, USD  1,234,502.00
`}},
		"JSON": {[]string{"--dry-run", "--output", "json", "--rejects", rejects}, outcome{code: cli.ExitOK, err: merged, out: `{
  "orders_read": 3,
  "orders_created": 2,
  "orders_existing": 0,
  "orders_rejected": 1,
  "lines_read": 4,
  "lines_rejected": 1,
  "totals": {
    "USD": "1234502.00"
  }
}
`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, importText(t, nil, lines, tt.args...), cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestImportFails(t *testing.T) {
	broken := placer(func([]ordering.Place) ([]importing.Outcome, error) { return nil, errors.New("the disk is gone") })
	got := importText(t, broken, lines)
	if got.code != cli.ExitFailure || got.out != "" || got.err != "orders: the import did not finish: the disk is gone\n" {
		t.Errorf("got %+v", got)
	}
	got = importText(t, broken, "a,b\n")
	oneLine := strings.Count(got.err, "\n") == 1
	if got.code != cli.ExitUsage || got.out != "" || !oneLine || !strings.Contains(got.err, "--column reference=HEADER") {
		t.Errorf("got %+v", got)
	}
}

func TestImportProgressInLines(t *testing.T) {
	var text bytes.Buffer
	clock := now()
	show, end := cli.Progress(&text, false, 2_000_000, func() time.Time { return clock })
	show(importing.Progress{})
	clock = clock.Add(5 * time.Second)
	show(importing.Progress{BytesRead: 1_000_000, LinesRead: 12_345})
	clock = clock.Add(time.Second)
	show(importing.Progress{Placing: true, BytesRead: 2_000_000, LinesRead: 24_000})
	clock = clock.Add(4 * time.Second)
	show(importing.Progress{Placing: true, BytesRead: 2_000_000, LinesRead: 24_000, LinesDone: 8_000, OrdersDone: 1_000})
	end()
	want := "orders: read 12,345 lines, 50 % of the file\n" +
		"orders: placed 8,000 of 24,000 lines, 1,000 orders, 2,000 lines a second, 8s left\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestImportProgressOnATerminal(t *testing.T) {
	var text bytes.Buffer
	show, end := cli.Progress(&text, true, 2_000_000, now)
	show(importing.Progress{BytesRead: 1_000_000, LinesRead: 12_345})
	show(importing.Progress{Placing: true, BytesRead: 2_000_000, LinesRead: 24_000, LinesDone: 8_000, OrdersDone: 1_000})
	end()
	for _, want := range []string{"reading  50%", "placing  33%", "(8000/24000", "lines/s"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in %q", want, text.String())
		}
	}
}

// A destination that is away is told of at once and then now and then, and not for each batch.
func TestImportTellsOfTrouble(t *testing.T) {
	for name, terminal := range map[string]bool{"lines": false, "terminal": true} {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			clock := now()
			show, end := cli.Progress(&text, terminal, 2_000_000, func() time.Time { return clock })
			show(importing.Progress{Placing: true, LinesRead: 24_000})
			for range 3 {
				for range 3 {
					show(importing.Progress{Placing: true, LinesRead: 24_000, Trouble: errors.New("nobody is there")})
					clock = clock.Add(time.Second)
				}
			}
			end()
			if n := strings.Count(text.String(), "orders: nobody is there; trying again\n"); n != 2 {
				t.Errorf("%d lines in %q", n, text.String())
			}
		})
	}
}
