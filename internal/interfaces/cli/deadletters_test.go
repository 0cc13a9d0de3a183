package cli_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/interfaces/cli"
)

// withLetters are commands on a queue that holds the letters and has the redrive end as it is given.
func withLetters(letters []cli.DeadLetter, more bool, done cli.Redriven, err error, seen *cli.RedriveOptions) cli.Commands {
	c := commands()
	c.DeadLetters = func(context.Context, int) ([]cli.DeadLetter, bool, error) { return letters, more, err }
	c.Redrive = func(_ context.Context, o cli.RedriveOptions) (cli.Redriven, error) {
		*seen = o
		return done, err
	}
	return c
}

func TestListOfDeadLetters(t *testing.T) {
	var o cli.RedriveOptions
	at := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	letters := []cli.DeadLetter{
		{ID: "m-1", LetterID: "l-1", Reason: "not_yet", ReasonText: "the order is PENDING", Type: "ShipmentDelivered", Order: "610a8efc12a0dd01a3c53be6", SentAt: at},
		{ID: "m-2\n", LetterID: "l-2", SentAt: at, Body: "{"},
	}
	for _, tt := range []struct {
		letters []cli.DeadLetter
		args    string
		want    string
	}{
		{nil, "dlq list", "There are no dead letters.\n"},
		{
			letters, "dlq list", "ID       SET ASIDE             TYPE               ORDER                     REASON\n" +
				"m-1      2026-11-28T08:00:00Z  ShipmentDelivered  610a8efc12a0dd01a3c53be6  not_yet: the order is PENDING\n" +
				"\"m-2\\n\"  2026-11-28T08:00:00Z  -                  -                         not known: SQS set it aside, as it was received too often\n" +
				"There are more than these 2; see --limit.\n",
		},
	} {
		got := run(t, withLetters(tt.letters, tt.letters != nil, cli.Redriven{}, nil, &o), strings.Fields(tt.args)...)
		if got.code != cli.ExitOK || got.out != tt.want {
			t.Errorf("%s: %d, %s\nwant\n%s", tt.args, got.code, got.out, tt.want)
		}
	}
	if got := run(t, withLetters(letters, false, cli.Redriven{}, nil, &o), "dlq", "list", "--output", "json"); got.code != cli.ExitOK ||
		!strings.Contains(got.out, `"letter_id": "l-2"`) || !strings.Contains(got.out, `"body": "{"`) || !strings.Contains(got.out, `"more": false`) {
		t.Errorf("as JSON: %d, %s", got.code, got.out)
	}
}

func TestRedrive(t *testing.T) {
	for _, tt := range []struct {
		args     string
		done     cli.Redriven
		err      error
		code     int
		out, say string
	}{
		{"", cli.Redriven{Sent: 3}, nil, cli.ExitOK, "3 dead letters were sent to the queue again.\n", ""},
		{"--dry-run", cli.Redriven{Sent: 3}, nil, cli.ExitOK, "3 dead letters would be sent to the queue again.\n", ""},
		{"m-1 m-2", cli.Redriven{Sent: 1}, nil, cli.ExitFailure, "1 dead letters", "1 of the messages are not among the dead letters"},
		{"", cli.Redriven{Sent: 3, Failed: 2}, nil, cli.ExitFailure, "3 dead letters", "the queue refused 2 of the messages"},
		{"", cli.Redriven{Sent: 3, Kept: 1}, nil, cli.ExitOK, "1 of them could not be deleted", ""},
		{"", cli.Redriven{Sent: 3}, errors.New("it is away"), cli.ExitFailure, "", "3 dead letters were sent to the queue again, then it failed; run it again, and it goes on: it is away"},
		{"", cli.Redriven{}, cli.UsageError{Err: errors.New("set it")}, cli.ExitUsage, "", "orders: set it\n"},
		{"", cli.Redriven{}, context.Canceled, cli.ExitFailure, "", "it was stopped"},
		{"--limit 0", cli.Redriven{}, nil, cli.ExitUsage, "", "give a whole number from 1 to 10000"},
		{"--limit 10001", cli.Redriven{}, nil, cli.ExitUsage, "", "give a whole number from 1 to 10000"},
		{"--output json", cli.Redriven{Sent: 3, Failed: 0, Kept: 1}, nil, cli.ExitOK, "\"kept\": 1", ""},
	} {
		var seen cli.RedriveOptions
		got := run(t, withLetters(nil, false, tt.done, tt.err, &seen), append([]string{"dlq", "redrive"}, strings.Fields(tt.args)...)...)
		if got.code != tt.code || !strings.Contains(got.out, tt.out) || !strings.Contains(got.err, tt.say) || tt.say == "" && got.err != "" {
			t.Errorf("redrive %s: %d, %s, %s", tt.args, got.code, got.out, got.err)
		}
		if tt.args == "m-1 m-2" && (!slices.Equal(seen.IDs, []string{"m-1", "m-2"}) || seen.Limit != 1_000) {
			t.Errorf("asked for %+v", seen)
		}
	}
	var seen cli.RedriveOptions
	if got := run(t, withLetters(nil, false, cli.Redriven{}, nil, &seen), "dlq", "lst"); got.code != cli.ExitUsage || !strings.Contains(got.err, `unknown command "lst"`) {
		t.Errorf("a wrong command: %d, %s", got.code, got.err)
	}
}
