package sqlite

import (
	"context"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	selectTracks = `SELECT key, id, sequence, tracks FROM orders WHERE id = ?`
	updateTracks = `UPDATE orders SET due_at = ?, parked = ?, tracks = ? WHERE key = ?`
	selectDue    = `SELECT key, id, sequence, tracks, doc, events FROM orders INDEXED BY orders_due
WHERE due_at <= ? ORDER BY due_at LIMIT ?`
	// selectAhead goes through what is not due yet, for leases of processes that are gone.
	selectAhead = `SELECT key, id, sequence, tracks, doc, events, due_at FROM orders INDEXED BY orders_due
WHERE due_at IS NOT NULL AND (due_at, key) > (?, ?) ORDER BY due_at, key LIMIT ?`
	selectTask = `SELECT key, id, sequence, tracks, doc, events FROM orders WHERE id = ?`
)

// tracksRow is the part of an order's row that deliveries change.
type tracksRow struct {
	key      int64
	id       order.ID
	sequence int
	tracks   delivery.Tracks
}

func scanTracks(row *sqlite3.Stmt) (t tracksRow, err error) {
	t = tracksRow{key: row.ColumnInt64(0), id: order.ID(row.ColumnRawBlob(1)), sequence: row.ColumnInt(2)}
	t.tracks, err = document.DecodeTracks(row.ColumnRawText(3))
	return t, err
}

// readTracks returns the tracks of an order; the key is 0 if there is no such order.
func readTracks(c *conn, id order.ID) (t tracksRow, err error) {
	err = c.query(selectTracks, []any{id[:]}, func(row *sqlite3.Stmt) (err error) {
		t, err = scanTracks(row)
		return err
	})
	return t, err
}

func (t *tracksRow) write(c *conn) error {
	var b [512]byte
	return c.exec(updateTracks, dueColumn(t.tracks, t.sequence), parkedColumn(t.tracks),
		text(document.AppendTracks(b[:0], t.tracks)), t.key)
}

// dueRow is an order that may have due tracks, with what is needed to tell them.
type dueRow struct {
	tracksRow
	doc, events []byte
	leased      []delivery.Track
}

func scanDue(row *sqlite3.Stmt) (dueRow, error) {
	t, err := scanTracks(row)
	return dueRow{tracksRow: t, doc: slices.Clone(row.ColumnRawText(4)), events: slices.Clone(row.ColumnRawText(5))}, err
}

// Claim implements delivery.Store.
func (s *Store) Claim(ctx context.Context, claim delivery.Claim) ([]delivery.Task, error) {
	s.owners.add(claim.Owner)
	var rows []dueRow
	err := s.write(ctx, true, func(c *conn) error {
		rows = rows[:0]
		// Orders that only wait for subscribers of others are put off and looked past, so that they
		// do not hold up the rest.
		for range maxLooks {
			found, err := s.claimSome(c, claim, claim.Limit-len(rows))
			if err != nil {
				return err
			}
			for _, r := range found {
				if len(r.leased) > 0 {
					rows = append(rows, r)
				}
			}
			if len(found) == 0 || len(rows) == claim.Limit {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return tasksOf(rows)
}

// tasksOf is what the leased tracks of the rows are to be told.
func tasksOf(rows []dueRow) ([]delivery.Task, error) {
	var tasks []delivery.Task
	for i := range rows {
		for _, t := range rows[i].leased {
			task, err := rows[i].task(t)
			if err != nil {
				return nil, translate("claim", err)
			}
			tasks = append(tasks, task)
		}
	}
	return tasks, nil
}

// maxLooks bounds how much a claim that finds nothing for its subscribers writes.
const maxLooks = 8

// claimSome looks at no more than limit orders that are due and leases what the claim's subscribers
// can be told of them.
func (s *Store) claimSome(c *conn, claim delivery.Claim, limit int) ([]dueRow, error) {
	var rows []dueRow
	err := c.query(selectDue, []any{millis(claim.Now), limit}, func(row *sqlite3.Stmt) error {
		r, err := scanDue(row)
		rows = append(rows, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.claimAbandoned(c, &rows, claim, limit); err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		r.leased = r.tracks.Claim(r.sequence, claim)
		if err := r.write(c); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// task is what a leased track is to be told.
func (r *dueRow) task(t delivery.Track) (delivery.Task, error) {
	o, err := document.DecodeOrder(r.id, r.doc)
	if err != nil {
		return delivery.Task{}, err
	}
	events, err := document.DecodeEvents(r.events, t.Told, delivery.MaxEvents)
	return delivery.Task{Message: delivery.Message{Order: o, Events: events}, Subscriber: t.Subscriber, Attempts: t.Attempts}, err
}

// Next implements delivery.Store.
func (s *Store) Next(ctx context.Context, id order.ID, subscriber string) (delivery.Task, error) {
	var task delivery.Task
	found := false
	err := s.read(ctx, func(c *conn) error {
		return c.query(selectTask, []any{id[:]}, func(row *sqlite3.Stmt) error {
			found = true
			r, err := scanDue(row)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(r.tracks, func(t delivery.Track) bool { return t.Subscriber == subscriber })
			if i < 0 {
				return nil
			}
			task, err = r.task(r.tracks[i])
			return err
		})
	})
	if err == nil && !found {
		err = order.ErrNotFound
	}
	return task, translate("next", err)
}

// Settle implements delivery.Store. Settlements of one order are written together.
func (s *Store) Settle(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
	answers := make([]delivery.Settled, len(settlements))
	rows := make(map[order.ID]*tracksRow, len(settlements))
	err := s.write(ctx, true, func(c *conn) error {
		for i := range settlements {
			id := settlements[i].Order
			row, ok := rows[id]
			if !ok {
				t, err := readTracks(c, id)
				if err != nil {
					return err
				}
				row = &t
				rows[id] = row
			}
			answers[i] = row.tracks.Settle(row.sequence, settlements[i])
		}
		for _, row := range rows {
			if row.key == 0 {
				continue
			}
			if err := row.write(c); err != nil {
				return err
			}
		}
		return nil
	})
	return answers, err
}
