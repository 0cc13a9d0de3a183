// Package importing turns files of order lines into orders: CSV with a header line, or NDJSON of the
// order form that the API takes, plain or compressed with gzip.
//
// Lines of one reference make one order, wherever they stand in the file, and are its items in the
// order of the file. An order is imported whole or refused whole; every line of a refused order is
// written to the rejects with its line number and every reason. The reference decides the order's
// idempotency key and so its id: a second run finds what is there, changes nothing, and an
// interrupted run is just run again.
//
// What an order has only once must be the same on each of its lines: the customer and the currency.
// Of the dates, which shops stamp line by line, the earliest counts, and of metadata the first value
// that is not empty; Summary.Merged counts the orders whose lines differed in these.
//
// Memory is bounded whatever the size of the file: records wait for the rest of their order in at
// most Options.Memory bytes, beyond which they go to files on the side (see gatherer). Nothing is
// placed before the whole input was read, so a file that ends early or is damaged makes no order.
package importing

import (
	"context"
	"fmt"
	"io"
	"time"

	"order-processing-service/internal/domain/money"
)

// Options say how to read the input and what to make of it.
type Options struct {
	// Columns maps a field (reference, customer_id, sku, quantity, unit_price, name, placed_at,
	// currency or metadata.KEY) to the header of the CSV column that holds it. A field that is not
	// here has a column of its own name, if there is one.
	Columns map[string]string
	// Currency is that of orders that name none; needed unless there is a column for it.
	Currency money.Currency
	// DateLayout is the Go layout of dates. "" reads RFC 3339 and a few forms like it.
	DateLayout string
	// Location is the time zone of dates that name none; nil is UTC.
	Location *time.Location
	// AsHistory keeps the orders as told already: no subscriber learns of them.
	AsHistory bool
	// Memory is how much memory records may take while they wait for the rest of their order, in
	// bytes; zero is DefaultMemory. The garbage collector may let it double.
	Memory int
	// TempDir is for the files on the side; "" is the system's own folder for such files.
	TempDir string
	// Workers is how many batches are placed at the same time; zero is DefaultWorkers.
	Workers int
	// Now is the clock. It is needed.
	Now func() time.Time
	// Progress is told how far the import is, if not nil: often, never by two goroutines at a time.
	Progress func(Progress)
}

// DefaultWorkers is how many batches are placed at the same time.
const DefaultWorkers = 3

// Progress is how far an import is. All lines are read before the first order is placed.
type Progress struct {
	// Placing: every line was read, and orders are being placed.
	Placing bool
	// BytesRead counts the bytes of the input as they are stored, compressed or not.
	BytesRead int64
	// LinesRead counts the records that were read.
	LinesRead int64
	// LinesDone counts the records that are placed, there already, or refused. An import is done
	// when it has come to LinesRead.
	LinesDone int64
	// OrdersDone counts the orders that are placed, there already, or refused.
	OrdersDone int64
	// OrdersCreated, OrdersExisting and OrdersRejected are its parts.
	OrdersCreated, OrdersExisting, OrdersRejected int64
	// Trouble is why the destination takes no orders, which will be sent again; nil when it is not
	// known to be in trouble.
	Trouble error
}

// Run imports orders from in to the destination and writes refused lines to rejects, which may be
// nil. It returns what was done, also with an error: nil means that every line was dealt with, though
// some may be refused.
//
// A fault of kind Malformed or Invalid says that the input or the options are of no use from the start,
// one of kind Unavailable that the destination stayed away in spite of several tries. After any error
// the same import can be run again.
func Run(ctx context.Context, o Options, to Destination, in io.Reader, rejects io.Writer) (Summary, error) {
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.Workers == 0 {
		o.Workers = DefaultWorkers
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	input := &counted{in: in}
	form, err := open(input, &o)
	if err != nil {
		return Summary{}, err
	}
	r := &run{Options: o, to: to, input: input, form: form, rejects: newRejects(rejects), trouble: make(chan error, 1)}
	err = r.rejects.header(form.header())
	if err == nil {
		err = r.run(ctx)
	}
	if flushed := r.rejects.flush(); err == nil {
		err = flushed
	}
	r.summary.OrdersRead = r.summary.orders()
	return r.summary, err
}

// run is one import under way.
type run struct {
	Options
	to      Destination
	input   *counted
	form    form
	rejects *rejects
	rows    rejectRows // of records that are refused one by one
	summary Summary
	placing bool
	// trouble has room for why a batch has to be sent again, until the progress is told of it.
	trouble chan error
	// linesDone counts the records dealt with.
	linesDone int64
}

// progressEvery is how many records are read between two reports.
const progressEvery = 4_096

func (r *run) run(ctx context.Context) error {
	var rec record
	var encoded []byte
	g := gatherer{memory: r.Memory, dir: r.TempDir, drop: r.drop, leave: func(t *table) error { return r.place(ctx, t) }}
	return g.gather(func() ([]byte, error) {
		if r.summary.LinesRead%progressEvery == 0 {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("read the input: %w", err)
			}
			r.report(nil)
		}
		if err := r.form.next(&rec); err != nil {
			return nil, unreadable(err, r.summary.LinesRead)
		}
		r.summary.LinesRead++
		encoded = appendRecord(encoded[:0], &rec)
		return encoded, nil
	}, 0)
}

func (r *run) report(trouble error) {
	if r.Progress != nil {
		r.Progress(Progress{
			Placing: r.placing, BytesRead: r.input.bytes, LinesRead: r.summary.LinesRead,
			LinesDone: r.linesDone, OrdersDone: r.summary.orders(), Trouble: trouble,
			OrdersCreated: r.summary.OrdersCreated, OrdersExisting: r.summary.OrdersExisting, OrdersRejected: r.summary.OrdersRejected,
		})
	}
}
