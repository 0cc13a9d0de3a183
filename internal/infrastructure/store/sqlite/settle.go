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
	selectTask   = `SELECT key, id, sequence, tracks, doc, events FROM orders WHERE id = ?`
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

// Next implements delivery.Store.
func (s *Store) Next(ctx context.Context, id order.ID, subscriber string) (delivery.Task, error) {
	var next delivery.Task
	found := false
	err := s.read(ctx, func(c *conn) error {
		return c.query(selectTask, []any{id[:]}, func(row *sqlite3.Stmt) error {
			found = true
			r := scanDue(row)
			if r.err != nil {
				return r.err
			}
			i := slices.IndexFunc(r.tracks, func(t delivery.Track) bool { return t.Subscriber == subscriber })
			if i < 0 {
				return nil
			}
			task, err := r.task(r.tracks[i])
			next = task
			return err
		})
	})
	if err == nil && !found {
		err = order.ErrNotFound
	}
	return next, translate("next", err)
}

// Settle implements delivery.Store. Settlements of one order are written together.
func (s *Store) Settle(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
	answers := make([]delivery.Settled, len(settlements))
	rows := make(map[order.ID]*tracksRow, len(settlements))
	err := s.write(ctx, true, len(settlements), func(c *conn) error {
		return savepoint(c, func() error {
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
			return writeTracks(c, rows)
		})
	})
	return answers, err
}

func writeTracks(c *conn, rows map[order.ID]*tracksRow) error {
	for _, row := range rows {
		if row.key == 0 {
			continue // no such order, and nothing to write
		}
		if err := row.write(c); err != nil {
			return err
		}
	}
	return nil
}
