package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"order-processing-service/internal/application/copying"
)

// maxListed bounds the orders that a JSON report lists; standard error has all of them.
const maxListed = 1_000

// copyReport is what `orders copy --output json` prints.
type copyReport struct {
	OrdersRead      int64 `json:"orders_read"`
	OrdersCopied    int64 `json:"orders_copied"`
	OrdersExisting  int64 `json:"orders_existing"`
	OrdersDiffering int64 `json:"orders_differing"`
	OrdersFailed    int64 `json:"orders_failed"`
	// Troubles are the first 1,000 orders that differ or failed.
	Troubles []copyTrouble `json:"troubles"`
}

type copyTrouble struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// RunCopy copies all orders, shows how far it is on streams.Err, tells there of each order that is not at
// the destination as it is in the source, and writes the report to streams.Out. The clock is now. The
// error says that the copy did not finish, or that not all orders are there.
func RunCopy(ctx context.Context, streams Streams, o CopyOptions, from copying.Source, to copying.Destination, now func() time.Time) error {
	progress := newCountProgress(streams.Err, "copied", "orders", now)
	troubles := []copyTrouble{}
	summary, err := copying.Run(ctx, copying.Options{
		Progress: func(p copying.Progress) {
			progress.show(MigrateProgress{Done: p.Done(), Total: max(p.Total, p.Done())}) // more may have been made meanwhile
		},
		Trouble: func(t copying.Trouble) {
			reason := "differs at the destination and was left as it is there: " + t.Differs
			if t.Err != nil {
				reason = "can't be copied: " + t.Err.Error()
			}
			progress.clear()
			fmt.Fprintf(streams.Err, "orders: %s %s\n", t.ID, reason)
			if len(troubles) < maxListed {
				troubles = append(troubles, copyTrouble{t.ID, reason})
			}
		},
	}, from, to)
	progress.end()
	if err != nil {
		return copyError(summary, err)
	}
	if summary.Done() == 0 { // as when the name of a database is mistyped
		fmt.Fprintln(streams.Err, "orders: the source has no orders: check its name")
	}
	if o.JSON {
		err = printJSON(streams.Out, copyReport{
			OrdersRead: summary.Done(), OrdersCopied: summary.Created, OrdersExisting: summary.Existing,
			OrdersDiffering: summary.Differing, OrdersFailed: summary.Failed, Troubles: troubles,
		})
	} else {
		err = printCopyReport(streams.Out, summary)
	}
	if err != nil {
		return err
	}
	if missing := summary.Differing + summary.Failed; missing > 0 {
		return fmt.Errorf("%s not at the destination as in the source; docs/moving.md says what to do", areOrders(missing))
	}
	return nil
}

// areOrders counts orders as the subject of a sentence.
func areOrders(n int64) string {
	if n == 1 {
		return "1 order is"
	}
	return number(n) + " orders are"
}

// copyError says why a copy did not finish, and what to do.
func copyError(summary copying.Summary, err error) error {
	if errors.Is(err, context.Canceled) {
		err = errors.New("it was stopped")
	}
	return fmt.Errorf("the copy did not finish, with %s at the destination: run it again, and it goes on: %w",
		ordersOf(summary.Created+summary.Existing), err)
}

func printCopyReport(w io.Writer, s copying.Summary) error {
	rows := []struct {
		name  string
		count int64
	}{
		{"orders read", s.Done()},
		{"orders copied", s.Created},
		{"orders there already", s.Existing},
		{"orders that differ", s.Differing},
		{"orders that failed", s.Failed},
	}
	width := len(number(s.Done()))
	for _, row := range rows {
		if _, err := fmt.Fprintf(w, "%-20s  %*s\n", row.name, width, number(row.count)); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}
