package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// Bounds of --limit of the commands on dead letters.
const (
	listLimit    = 100
	redriveLimit = 1_000
	maxLetters   = 10_000
)

// DeadLetter is a message that could not be applied.
type DeadLetter struct {
	ID         string    `json:"id"`          // that the message had at first
	LetterID   string    `json:"letter_id"`   // that it has among the dead letters
	Reason     string    `json:"reason"`      // a code; "" if nobody has said it
	ReasonText string    `json:"reason_text"` // a sentence
	Type       string    `json:"type"`        // of the command; "" if it can't be read
	Order      string    `json:"order_id"`    // "" if it can't be read
	Group      string    `json:"group,omitempty"`
	SentAt     time.Time `json:"sent_at"`
	Body       string    `json:"body"`
}

// RedriveOptions is what the redrive command was told.
type RedriveOptions struct {
	IDs    []string // of the messages; none for all
	Limit  int      // how many at most
	DryRun bool     // only count them
}

// Redriven is what a redrive came to.
type Redriven struct {
	Sent   int `json:"sent"`   // or, in a dry run, to be sent
	Failed int `json:"failed"` // left where they were
	Kept   int `json:"kept"`   // sent, and still among the dead letters
}

func newDeadLetters(commands Commands, streams Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Look after commands that could not be applied",
		Long: `Look after commands that could not be applied and were set aside in the dead-letter queue:
COMMANDS_DEAD_LETTER_QUEUE_URL, or that of the redrive policy of COMMANDS_QUEUE_URL.`,
		Example: `  orders dlq list                  what was set aside, and why
  orders dlq redrive               send it all to the queue again`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usagef("unknown command %q; see '%s --help'", args[0], cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newListLetters(commands, streams), newRedriveLetters(commands, streams))
	return cmd
}

func newListLetters(commands Commands, streams Streams) *cobra.Command {
	limit := listLimit
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters and why they were set aside",
		Long: `List dead letters: when each was set aside, why, and which order it is about. They stay where
they are; nobody else can read them while they are listed, some seconds. With --output json
each has its body too, which may hold the customer's data.`,
		Example: `  orders dlq list
  orders dlq list --limit 1000 --output json`,
		Args: noArguments,
	}
	limitFlag(cmd, &limit)
	wantJSON := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		letters, more, err := commands.DeadLetters(cmd.Context(), limit)
		if err != nil {
			return letterError("the dead letters could not be listed", err)
		}
		if wantJSON() {
			return printJSON(streams.Out, struct {
				DeadLetters []DeadLetter `json:"dead_letters"`
				More        bool         `json:"more"`
			}{letters, more})
		}
		return printLetters(streams.Out, letters, more)
	}
	return cmd
}

func newRedriveLetters(commands Commands, streams Streams) *cobra.Command {
	options := RedriveOptions{Limit: redriveLimit}
	cmd := &cobra.Command{
		Use:   "redrive [ID...]",
		Short: "Send dead letters to the queue again",
		Long: `Send dead letters to the queue of commands again, all or those with the IDs that 'orders dlq
list' shows. Each is deleted among the dead letters when the queue has it. What is still
wrong with a message brings it back. Exits 0 when all were sent, 1 when some were not.`,
		Example: `  orders dlq redrive --dry-run
  orders dlq redrive
  orders dlq redrive 0f9c1f2e-1b1c-4c55-9a4e-6a2f5a3a0b7d`,
		Args: func(_ *cobra.Command, args []string) error {
			for _, id := range args {
				if id == "" || len(id) > 255 {
					return usagef("%q is no id of a message; 'orders dlq list' shows them", id)
				}
			}
			return nil
		},
	}
	limitFlag(cmd, &options.Limit)
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "count them, send nothing")
	wantJSON := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		options.IDs = args
		done, err := commands.Redrive(cmd.Context(), options)
		if err != nil {
			return letterError(fmt.Sprintf("%d dead letters were sent to the queue again, then it failed; run it again, and it goes on", done.Sent), err)
		}
		if wantJSON() {
			err = printJSON(streams.Out, done)
		} else {
			err = printRedriven(streams.Out, options, done)
		}
		if missing := len(args) - done.Sent - done.Failed; err == nil && missing > 0 && options.Limit >= len(args) {
			err = fmt.Errorf("%d of the messages are not among the dead letters; 'orders dlq list' shows what is", missing)
		}
		if err == nil && done.Failed > 0 {
			err = fmt.Errorf("the queue refused %d of the messages; they stay among the dead letters", done.Failed)
		}
		return err
	}
	return cmd
}

func limitFlag(cmd *cobra.Command, limit *int) {
	usage := fmt.Sprintf("how many at most, up to %d (default %d)", maxLetters, *limit)
	cmd.Flags().Func("limit", "`count`: "+usage, func(value string) (err error) {
		if *limit, err = strconv.Atoi(value); err != nil || *limit < 1 || *limit > maxLetters {
			return fmt.Errorf("give a whole number from 1 to %d", maxLetters)
		}
		return nil
	})
}

func letterError(what string, err error) error {
	if _, ok := errors.AsType[UsageError](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("it was stopped")
	}
	return fmt.Errorf("%s: %w", what, err)
}

func printLetters(w io.Writer, letters []DeadLetter, more bool) error {
	if len(letters) == 0 {
		_, err := fmt.Fprintln(w, "There are no dead letters.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSET ASIDE\tTYPE\tORDER\tREASON")
	for _, l := range letters {
		reason := l.Reason + ": " + l.ReasonText
		if l.Reason == "" {
			reason = "not known: SQS set it aside, as it was received too often"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", oneLine(l.ID), l.SentAt.UTC().Format(time.RFC3339), dash(l.Type), dash(l.Order), oneLine(reason))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the dead letters: %w", err)
	}
	if more {
		fmt.Fprintf(w, "There are more than these %d; see --limit.\n", len(letters))
	}
	return nil
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return oneLine(text)
}

func printRedriven(w io.Writer, o RedriveOptions, done Redriven) error {
	lines := []string{fmt.Sprintf("%d dead letters were sent to the queue again.", done.Sent)}
	if o.DryRun {
		lines[0] = fmt.Sprintf("%d dead letters would be sent to the queue again.", done.Sent)
	}
	if done.Kept > 0 {
		lines = append(lines, fmt.Sprintf("%d of them could not be deleted, and are still among the dead letters; sent once more, they do no harm.", done.Kept))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
