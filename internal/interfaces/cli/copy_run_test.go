package cli_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/cli"
)

// destination is a store that answers each record with what it is given, and then says that all is there.
type destination []copying.Inserted

func (d destination) InsertRecords(_ context.Context, records []copying.Record) []copying.Inserted {
	answers := make([]copying.Inserted, len(records))
	copy(answers, d)
	return answers
}

// source is a store of n orders.
func source(t *testing.T, n int) *memory.Store {
	t.Helper()
	store := memory.New().Open()
	records := make([]copying.Record, n)
	for i := range records {
		o, err := order.New(order.ID{11: byte(i + 1)}, order.Draft{
			CustomerID: "c-1", Currency: "EUR", Items: []order.DraftItem{{SKU: "TEA", Quantity: 1, UnitPrice: "1.50"}},
		}, "", order.Stamp{Time: now()})
		if err != nil {
			t.Fatal(err)
		}
		records[i] = copying.Record{Order: o, Events: o.Events()}
	}
	for _, a := range store.InsertRecords(t.Context(), records) {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
	return store
}

// copied runs the copy command between two stores.
func copied(t *testing.T, from copying.Source, to copying.Destination, args ...string) outcome {
	t.Helper()
	c := commands()
	c.Copy = func(ctx context.Context, streams cli.Streams, o cli.CopyOptions) error {
		return cli.RunCopy(ctx, streams, o, from, to, now)
	}
	return run(t, c, append([]string{"copy", "--from", "sqlite:a", "--to", "sqlite:b"}, args...)...)
}

func TestCopyReport(t *testing.T) {
	mixed := destination{
		{},
		{Existing: true},
		{Existing: true, Differs: "it has version 2 there, not 1"},
		{Err: fault.New(fault.TooLarge, "order_too_large", "it is too large")},
	}
	const troubles = "orders: 000000000000000000000003 differs at the destination and was left as it is there: it has version 2 there, not 1\n" +
		"orders: 000000000000000000000004 can't be copied: it is too large\n" +
		"orders: 2 orders are not at the destination as in the source; docs/moving.md says what to do\n"
	tests := map[string]struct {
		orders int
		to     destination
		args   []string
		want   outcome
	}{
		"all copied": {5, nil, nil, outcome{code: cli.ExitOK, out: `orders read           5
orders copied         5
orders there already  0
orders that differ    0
orders that failed    0
`}},
		"none there": {0, nil, []string{"--output", "json"}, outcome{
			code: cli.ExitOK, err: "orders: the source has no orders: check its name\n", out: `{
  "orders_read": 0,
  "orders_copied": 0,
  "orders_existing": 0,
  "orders_differing": 0,
  "orders_failed": 0,
  "troubles": []
}
`,
		}},
		"trouble": {5, mixed, nil, outcome{code: cli.ExitFailure, err: troubles, out: `orders read           5
orders copied         2
orders there already  1
orders that differ    1
orders that failed    1
`}},
		"trouble as JSON": {5, mixed, []string{"--output", "json"}, outcome{code: cli.ExitFailure, err: troubles, out: `{
  "orders_read": 5,
  "orders_copied": 2,
  "orders_existing": 1,
  "orders_differing": 1,
  "orders_failed": 1,
  "troubles": [
    {
      "id": "000000000000000000000003",
      "reason": "differs at the destination and was left as it is there: it has version 2 there, not 1"
    },
    {
      "id": "000000000000000000000004",
      "reason": "can't be copied: it is too large"
    }
  ]
}
`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, copied(t, source(t, tt.orders), tt.to, tt.args...), cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCopyThatDoesNotFinish(t *testing.T) {
	for cause, want := range map[error]string{
		errors.New("the disk is gone"): "write to the destination: the disk is gone",
		context.Canceled:               "it was stopped",
	} {
		got := copied(t, source(t, 1), destination{{Err: cause}})
		want = "orders: the copy did not finish, with 0 orders at the destination: run it again, and it goes on: " + want + "\n"
		if got.code != cli.ExitFailure || got.out != "" || got.err != want {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
}

func TestCopyShowsNoArgument(t *testing.T) {
	const name = "mongodb://u:hunter2@h"
	for _, args := range [][]string{{name}, {"--from", name}, {"--to", name}, {"--from", name, "--to", name, name}, {"--form", name}} {
		got := run(t, commands(), append([]string{"copy"}, args...)...)
		if got.code != cli.ExitUsage || got.out != "" || strings.Contains(got.err, "hunter2") || strings.Count(got.err, "\n") != 1 {
			t.Errorf("copy %q: %+v", args, got)
		}
	}
}
