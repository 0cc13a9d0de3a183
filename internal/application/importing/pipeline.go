package importing

import (
	"context"
	"errors"
	"math/big"

	"order-processing-service/internal/application/ordering"
)

// Bounds of a batch. It ends with the order that comes to one of them.
const (
	batchOrders = 250
	batchLines  = 4_000
	batchText   = 4 << 20 // bytes
)

// settled is what became of a batch.
type settled struct {
	summary Summary
	rows    rejectRows
	groups  int
	lines   int64
	err     error
}

// place places all groups of a table: some batches at a time, each worked out and placed by a
// goroutine of its own, and taken note of in the order of the table.
func (r *run) place(ctx context.Context, t *table) error {
	r.placing = true
	r.report(nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	underWay := make(chan chan *settled, r.Workers-1) // and one that is waited for
	go func() {
		defer close(underWay)
		for from := 0; from < len(t.groups); {
			groups := t.groups[from:t.batchEnd(from)]
			from += len(groups)
			done := make(chan *settled, 1)
			select {
			case underWay <- done:
			case <-ctx.Done():
				return
			}
			go func() { done <- r.settle(ctx, t, groups) }()
		}
	}()
	var failed error
	left := len(t.groups)
	for done := range underWay { // all of them, so that no goroutine outlives this
		s := r.await(done)
		left -= s.groups
		if err := r.note(s); err != nil && failed == nil {
			failed = err
			cancel()
		}
	}
	if failed == nil && left > 0 {
		return ctx.Err()
	}
	return failed
}

// await waits for a batch, and tells the progress of what keeps it.
func (r *run) await(done <-chan *settled) *settled {
	for {
		select {
		case s := <-done:
			return s
		case err := <-r.trouble:
			r.report(err)
		}
	}
}

// troubled has the progress told why a batch has to be sent again. If it has yet to be told of another
// batch's trouble, that will do.
func (r *run) troubled(err error) {
	select {
	case r.trouble <- err:
	default:
	}
}

// batchEnd returns where the batch ends that begins with the group from.
func (t *table) batchEnd(from int) int {
	lines, text := 0, 0
	for i := from; i < len(t.groups); i++ {
		lines += t.groups[i].count
		text += t.groups[i].size
		if i-from+1 == batchOrders || lines >= batchLines || text >= batchText {
			return i + 1
		}
	}
	return len(t.groups)
}

// note takes note of a batch. A batch that failed may have been placed in part: the next run tells.
func (r *run) note(s *settled) error {
	if s.err != nil {
		return s.err
	}
	r.summary.add(&s.summary)
	r.linesDone += s.lines
	r.report(nil)
	return r.rejects.write(&s.rows)
}

// batch is orders on their way, and the records that each was made of.
type batch struct {
	run    *run
	form   assembler
	orders []ordering.Place
	made   []made
	came   *settled
}

type made struct {
	entries []entry
	merged  bool
}

// settle makes orders of groups, places them and writes down what became of each.
func (r *run) settle(ctx context.Context, t *table, groups []group) *settled {
	b := batch{run: r, form: r.form.assembler(), came: &settled{groups: len(groups)}}
	for i, entries := range t.entries(groups) {
		if groups[i].refused != "" {
			b.came.summary.OrdersRejected++ // its lines are counted and written already
			continue
		}
		b.came.lines += int64(len(entries))
		b.add(entries)
	}
	if err := b.place(ctx); err != nil {
		b.came.err = err
	}
	return b.came
}

// add makes an order of the records of a group.
func (b *batch) add(entries []entry) {
	draft, merged, ok := b.form.assemble(entries)
	if !ok {
		b.reject(b.form.refuse(entries))
		return
	}
	b.orders = append(b.orders, ordering.Place{
		Draft: draft, IdempotencyKey: KeyOf(draft.Reference), AsHistory: b.run.AsHistory,
	})
	b.made = append(b.made, made{entries, merged})
}

// place places the orders of the batch. The error says that the destination can't take them.
func (b *batch) place(ctx context.Context) error {
	if len(b.orders) == 0 {
		return nil
	}
	outcomes, err := placeAll(ctx, b.run.to, b.orders, b.run.troubled)
	if err != nil {
		return err
	}
	for i := range outcomes {
		o, m := &outcomes[i], &b.made[i]
		switch {
		case o.Err != nil:
			b.reject(b.refused(m.entries, o.Err))
			continue
		case o.Existing:
			b.came.summary.OrdersExisting++
		default:
			b.came.summary.OrdersCreated++
			b.came.summary.LinesCreated += int64(len(m.entries))
			b.came.summary.addTotal(o.Currency, big.NewInt(int64(o.Total)))
		}
		if m.merged {
			b.came.summary.Merged++
		}
	}
	return nil
}

// refused says why the destination did not take an order.
func (b *batch) refused(entries []entry, err error) *reasons {
	why := newReasons(entries)
	if errors.Is(err, ordering.ErrKeyReused) {
		why.order(otherContent)
		return why
	}
	if own := b.form.refuse(entries); own.any() {
		return own
	}
	why.faults(wholeOrder, err, "")
	return why
}

// reject counts the records as refused and makes their rows.
func (b *batch) reject(why *reasons) {
	b.came.summary.LinesRejected += int64(len(why.entries))
	if why.entries[0].key != "" {
		b.came.summary.OrdersRejected++
	}
	if !b.run.rejects.wanted() {
		return
	}
	for i := range why.entries {
		b.came.rows.record(&why.entries[i], why.of(i), b.run.form.firstColumn())
	}
}

// drop refuses a record while the rest of its order may be yet to come.
func (r *run) drop(encoded []byte, reason string) error {
	e, _ := decodeRecord(encoded, nil)
	r.summary.LinesRejected++
	r.linesDone++
	if !r.rejects.wanted() {
		return nil
	}
	why := newReasons([]entry{e})
	if e.defect != "" {
		why.line(0, e.defect)
	}
	why.order(reason)
	r.rows.buf.Reset()
	r.rows.record(&e, why.of(0), r.form.firstColumn())
	return r.rejects.write(&r.rows)
}
