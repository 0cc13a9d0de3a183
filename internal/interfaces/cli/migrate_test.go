package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/interfaces/cli"
)

// migrated runs the migrate command with a migration.
func migrated(t *testing.T, migration cli.Migration, args ...string) outcome {
	t.Helper()
	c := commands()
	c.Migrate = func(ctx context.Context, streams cli.Streams, o cli.MigrateOptions) error {
		return cli.RunMigrate(ctx, streams, o, migration, now)
	}
	c.Indexes = func(_ context.Context, streams cli.Streams) error {
		_, err := fmt.Fprintln(streams.Out, "db.orders.createIndex({})")
		return err
	}
	return run(t, c, append([]string{"mongo"}, args...)...)
}

// some finds one document with rounded prices and one that can't be converted, and ends with err.
func some(err error) cli.Migration {
	return func(
		_ context.Context, _ bool, found func(cli.MigrateFinding) error, progress func(cli.MigrateProgress),
	) (cli.MigrateSummary, error) {
		progress(cli.MigrateProgress{Done: 500, Total: 1_240})
		first := found(cli.MigrateFinding{ID: "6553f1000000000000000001", Rounded: []cli.RoundedPrice{
			{Line: 2, Was: "0.30000000000000004", Is: "0.30"}, {Line: 3, Was: "1e-07", Is: "0.00"},
		}})
		if first != nil {
			return cli.MigrateSummary{}, first
		}
		second := found(cli.MigrateFinding{ID: "6553f1000000000000000002", Reason: "status is \"LO\nST\""})
		progress(cli.MigrateProgress{Done: 1_240, Total: 1_240})
		return cli.MigrateSummary{Migrated: 1_234, There: 5, Rounded: 2, Unconverted: 1}, errors.Join(second, err)
	}
}

func nothing(
	context.Context, bool, func(cli.MigrateFinding) error, func(cli.MigrateProgress),
) (cli.MigrateSummary, error) {
	return cli.MigrateSummary{}, nil
}

func TestMigrateReport(t *testing.T) {
	tests := map[string]struct {
		migration cli.Migration
		args      []string
		want      outcome
	}{
		"text": {some(nil), nil, outcome{code: cli.ExitOK, out: `6553f1000000000000000001  rounded: line 2, unit price 0.30000000000000004 to 0.30
6553f1000000000000000001  rounded: line 3, unit price 1e-07 to 0.00
6553f1000000000000000002  not converted: "status is \"LO\nST\""
orders migrated          1,234
orders there already         5
prices rounded               2
documents not converted      1
`}},
		"nothing to do": {nothing, nil, outcome{code: cli.ExitOK, out: `orders migrated          0
orders there already     0
prices rounded           0
documents not converted  0
`}},
		"dry run": {nothing, []string{"--dry-run"}, outcome{code: cli.ExitOK, out: `orders to be migrated              0
orders there already               0
prices to be rounded               0
documents that can't be converted  0
`}},
		"JSON": {some(nil), []string{"--output", "json", "--dry-run"}, outcome{code: cli.ExitOK, out: `{
  "dry_run": true,
  "findings": [
    {
      "id": "6553f1000000000000000001",
      "rounded": [
        {
          "line": 2,
          "was": "0.30000000000000004",
          "is": "0.30"
        },
        {
          "line": 3,
          "was": "1e-07",
          "is": "0.00"
        }
      ]
    },
    {
      "id": "6553f1000000000000000002",
      "reason": "status is \"LO\nST\""
    }
  ],
  "migrated": 1234,
  "there_already": 5,
  "prices_rounded": 2,
  "not_converted": 1
}
`}},
		"JSON of nothing": {nothing, []string{"--output", "json"}, outcome{code: cli.ExitOK, out: `{
  "dry_run": false,
  "findings": [],
  "migrated": 0,
  "there_already": 0,
  "prices_rounded": 0,
  "not_converted": 0
}
`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := migrated(t, tt.migration, append([]string{"migrate"}, tt.args...)...)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMigrateDoesNotFinish checks what is said of a migration that was stopped or has failed, beside what was done.
func TestMigrateDoesNotFinish(t *testing.T) {
	stopped := fmt.Errorf("mongo: migrate: %w", context.Canceled)
	for _, tt := range []struct {
		err  error
		args []string
		want string
	}{
		{stopped, nil, "orders: the migration did not finish; run it again, and it goes on: it was stopped\n"},
		{stopped, []string{"--dry-run"}, "orders: the dry run did not finish; nothing was written: it was stopped\n"},
		{errors.New("nobody is there"), nil, "orders: the migration did not finish; run it again, and it goes on: nobody is there\n"},
	} {
		got := migrated(t, some(tt.err), append([]string{"migrate"}, tt.args...)...)
		if got.code != cli.ExitFailure || got.err != tt.want || !strings.Contains(got.out, "1,234\n") || !strings.Contains(got.out, "LO") {
			t.Errorf("got %+v, want %s", got, tt.want)
		}
	}
}

// TestMigrateReportCantBeWritten ends a migration that nobody would hear of.
func TestMigrateReportCantBeWritten(t *testing.T) {
	for _, o := range []cli.MigrateOptions{{}, {JSON: true}} {
		var errs bytes.Buffer
		err := cli.RunMigrate(t.Context(), cli.Streams{Out: full{}, Err: &errs}, o, some(nil), now)
		if err == nil || strings.Count(err.Error(), "write the report: ") != 1 || !strings.HasSuffix(err.Error(), "no room") {
			t.Errorf("got %v", err)
		}
	}
}

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestMongoCommands(t *testing.T) {
	if got := migrated(t, nothing); got.code != cli.ExitOK || !strings.Contains(got.out, "migrate") || !strings.Contains(got.out, "indexes") {
		t.Errorf("got %+v", got)
	}
	if got := migrated(t, nothing, "indexes"); got.code != cli.ExitOK || got.out != "db.orders.createIndex({})\n" {
		t.Errorf("got %+v", got)
	}
	for want, args := range map[string][]string{
		`unknown command "migrat"; did you mean 'orders mongo migrate'?`:                    {"migrat"},
		`unknown command "x"; see 'orders mongo --help'`:                                    {"x"},
		`'orders mongo migrate' takes no arguments, but got "x"; see 'orders mongo migrate`: {"migrate", "x"},
		`'orders mongo indexes' takes no arguments, but got "x"; see 'orders mongo indexes`: {"indexes", "x"},
		"unknown flag: --dry; see 'orders mongo migrate --help'":                            {"migrate", "--dry"},
	} {
		got := migrated(t, nothing, args...)
		if got.code != cli.ExitUsage || got.out != "" || !strings.HasPrefix(got.err, "orders: "+want) || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%q: got %+v", args, got)
		}
	}
	var out, errs bytes.Buffer
	if code := cli.Run(t.Context(), commands(), []string{"mongo"}, cli.Streams{Out: &out, Err: &errs}); code != cli.ExitUsage {
		t.Errorf("a program without these commands exits %d", code)
	}
}

func TestMigrateProgressInLines(t *testing.T) {
	var text bytes.Buffer
	clock := now()
	show, wipe, end := cli.CountProgress(&text, false, func() time.Time { return clock })
	show(cli.MigrateProgress{Done: 500, Total: 60_000})
	clock = clock.Add(5 * time.Second)
	show(cli.MigrateProgress{Done: 10_000, Total: 60_000})
	wipe()
	clock = clock.Add(time.Second)
	for range 3 {
		show(cli.MigrateProgress{Done: 10_000, Total: 60_000, Trouble: errors.New("nobody is there")})
		clock = clock.Add(2 * time.Second)
	}
	end()
	want := "orders: migrated 10,000 of 60,000 documents, 2,000 a second, 25s left\n" +
		"orders: nobody is there; trying again\n" +
		"orders: migrated 10,000 of 60,000 documents, 1,000 a second, 50s left\n"
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestMigrateProgressOnATerminal(t *testing.T) {
	for total, want := range map[int64][]string{2_000: {"migrated  25%", "(500/2000"}, 0: nil} {
		var text bytes.Buffer
		show, wipe, end := cli.CountProgress(&text, true, now)
		show(cli.MigrateProgress{Done: min(500, total), Total: total})
		wipe()
		show(cli.MigrateProgress{Done: total, Total: total})
		end()
		for _, want := range want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("no %q in %q", want, text.String())
			}
		}
	}
}
