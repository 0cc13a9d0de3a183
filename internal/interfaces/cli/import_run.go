package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/domain/fault"
)

// RunImport imports what the import command was told to the destination, shows how far it is on
// streams.Err and writes the report to streams.Out. The clock is now. In a dry run the destination is
// not asked, and may be nil.
//
// A UsageError says that the file or a flag is of no use. Orders that are refused are no error.
func RunImport(ctx context.Context, streams Streams, o ImportOptions, to importing.Destination, now func() time.Time) error {
	if o.DryRun {
		to = importing.DryRun{Now: now}
	}
	progress := newImportProgress(streams.Err, o.Size, now)
	summary, err := importing.Run(ctx, importing.Options{
		Columns:    o.Columns,
		Currency:   o.Currency,
		DateLayout: o.DateLayout,
		Location:   o.Location,
		AsHistory:  o.AsHistory,
		Now:        now,
		Progress: func(p importing.Progress) {
			progress.show(p)
			if o.Watch != nil {
				o.Watch(p)
			}
		},
	}, to, o.Input, o.Rejects)
	progress.end()
	if err != nil {
		return importError(o.Name, summary, err)
	}
	if summary.Merged > 0 {
		fmt.Fprintf(streams.Err, "orders: the lines of %s differ in date or metadata: "+
			"the earliest date and the first value were taken\n", ordersOf(summary.Merged))
	}
	if summary.LinesRejected > 0 && o.Rejects == nil {
		fmt.Fprintln(streams.Err, "orders: import again with --rejects FILE to see why lines were refused")
	}
	if o.JSON {
		return printJSON(streams.Out, reportOf(summary))
	}
	return printReport(streams.Out, summary, o.DryRun)
}

// importError says why an import did not finish, and what to do.
func importError(name string, summary importing.Summary, err error) error {
	switch kind := fault.KindOf(err); {
	case kind == fault.Malformed || kind == fault.Invalid:
		return UsageError{fmt.Errorf("cannot import %s: %w", name, err)}
	case errors.Is(err, context.Canceled):
		err = errors.New("it was stopped")
	}
	if summary.OrdersCreated == 0 {
		return fmt.Errorf("the import did not finish: %w", err)
	}
	return fmt.Errorf("the import did not finish, with %s created: run it again, and these will be there already: %w",
		ordersOf(summary.OrdersCreated), err)
}

func ordersOf(n int64) string {
	if n == 1 {
		return "1 order"
	}
	return number(n) + " orders"
}
