package copying

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Options say how to copy. The zero value does.
type Options struct {
	// Progress is told how far the copy is, if not nil: after each page, never by two goroutines at a
	// time.
	Progress func(Progress)
	// Trouble is told of each order that is not at the destination as it is in the source, if not nil;
	// never by two goroutines at a time.
	Trouble func(Trouble)
}

// Progress is how far a copy is.
type Progress struct {
	Summary
	// Total is how many orders the source had at the beginning, about.
	Total int64
}

// Summary counts orders by what became of them.
type Summary struct {
	Created   int64 // made at the destination
	Existing  int64 // there already, and the same
	Differing int64 // there already, and not the same; left as they are
	Failed    int64 // that can't be read, or that the destination refuses
}

// Done counts the orders that were dealt with.
func (s Summary) Done() int64 { return s.Created + s.Existing + s.Differing + s.Failed }

// Trouble is an order that is not at the destination as it is in the source.
type Trouble struct {
	ID string // of the order, or what stands in its place
	// Differs says in a few words how the order at the destination differs; "" when that is not the
	// trouble.
	Differs string
	// Err is why the order can't be read or written; nil when it differs.
	Err error
}

const (
	// The bounds of a page. With one that is read and two that are written, a copy of the largest orders
	// takes some ten times the bytes in memory.
	pageRecords = 500
	pageBytes   = 4 << 20
	// writers is how many pages are written at the same time.
	writers = 2
)

// Run copies every order. It returns what was done, also with an error: nil means that all orders were
// dealt with, though some may differ or have failed. A fault of kind Unavailable says that one of the
// stores stayed away in spite of several tries. After any error the copy can be run again.
func Run(ctx context.Context, o Options, from Source, to Destination) (Summary, error) {
	r := &run{Options: o, from: from, to: to}
	err := persist(ctx, func() (err error) {
		r.total, err = from.CountRecords(ctx)
		return err
	})
	if err != nil {
		return Summary{}, fmt.Errorf("read the source: %w", err)
	}
	r.report()
	pages := make(chan []Record)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(pages)
		return r.read(ctx, pages)
	})
	for range writers {
		group.Go(func() error {
			for records := range pages {
				if err := r.write(ctx, records); err != nil {
					return fmt.Errorf("write to the destination: %w", err)
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return r.summary, err //nolint:wrapcheck // it is one of ours
}

// run is one copy under way.
type run struct {
	Options
	from Source
	to   Destination

	total   int64
	mu      sync.Mutex
	summary Summary // guarded by mu, as the calls of Progress and Trouble
}

// read hands over the source's records, page by page.
func (r *run) read(ctx context.Context, pages chan<- []Record) error {
	wanted := Range{Limit: pageRecords, Bytes: pageBytes}
	for {
		var page Page
		err := persist(ctx, func() (err error) {
			page, err = r.from.Records(ctx, wanted)
			return err
		})
		if err != nil {
			return fmt.Errorf("read the source: %w", err)
		}
		select {
		case pages <- r.whole(page):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if page.Next.IsZero() {
			return nil
		}
		if page.Next.Compare(wanted.After) <= 0 {
			return fmt.Errorf("read the source: what comes after order %s is order %s", wanted.After, page.Next)
		}
		wanted.After = page.Next
	}
}

// whole returns the records of a page that can be copied, and takes note of the others.
func (r *run) whole(page Page) []Record {
	var troubles []Trouble
	for _, u := range page.Unreadable {
		troubles = append(troubles, Trouble{ID: u.ID, Err: u.Err})
	}
	records := make([]Record, 0, len(page.Records))
	for i := range page.Records {
		if err := page.Records[i].check(); err != nil {
			troubles = append(troubles, Trouble{ID: page.Records[i].Order.ID().String(), Err: err})
			continue
		}
		records = append(records, page.Records[i].released())
	}
	r.note(Summary{Failed: int64(len(troubles))}, troubles)
	return records
}

// write inserts records, again and again those that the destination was not available for. The error says
// that it can't or won't take them, none of them in particular.
func (r *run) write(ctx context.Context, records []Record) error {
	return persist(ctx, func() error {
		if len(records) == 0 {
			return nil
		}
		var done Summary
		var troubles []Trouble
		var left []Record
		var passing, final error
		for i, answer := range r.to.InsertRecords(ctx, records) {
			id := records[i].Order.ID().String()
			switch {
			case isPassing(answer.Err):
				left, passing = append(left, records[i]), answer.Err
			case isOwn(answer.Err):
				done.Failed++
				troubles = append(troubles, Trouble{ID: id, Err: answer.Err})
			case answer.Err != nil: // others may have been written all the same
				final = cmp.Or(final, answer.Err)
			case answer.Differs != "":
				done.Differing++
				troubles = append(troubles, Trouble{ID: id, Differs: answer.Differs})
			case answer.Existing:
				done.Existing++
			default:
				done.Created++
			}
		}
		records = left
		r.note(done, troubles)
		return cmp.Or(final, passing)
	})
}

// note takes note of what became of some orders.
func (r *run) note(done Summary, troubles []Trouble) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary.Created += done.Created
	r.summary.Existing += done.Existing
	r.summary.Differing += done.Differing
	r.summary.Failed += done.Failed
	if r.Trouble != nil {
		for _, t := range troubles {
			r.Trouble(t)
		}
	}
	if done != (Summary{}) {
		r.report()
	}
}

func (r *run) report() {
	if r.Progress != nil {
		r.Progress(Progress{Total: r.total, Summary: r.summary})
	}
}
