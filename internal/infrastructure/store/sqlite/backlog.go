package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	// The backlog is counted along the two partial indexes, in which only what waits or is parked stands.
	selectWaiting = `SELECT created_at, sequence, tracks, events FROM orders INDEXED BY orders_due
WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT ?`
	selectParked = `SELECT created_at, sequence, tracks FROM orders INDEXED BY orders_parked
WHERE parked IS NOT NULL ORDER BY id LIMIT ?`
	// maxBacklogBytes bounds the histories that are read to find the oldest event, but for the last of them.
	maxBacklogBytes = 32 << 20
)

// Backlog implements delivery.Store. Those due first are counted first.
func (s *Store) Backlog(ctx context.Context, subscribers []string, limit int) ([]delivery.Backlog, error) {
	tally := delivery.NewTally(subscribers)
	err := s.read(ctx, func(c *conn) error {
		room := s.counted
		err := upTo(c, selectWaiting, limit, tally, func(row *sqlite3.Stmt) error {
			tracks, err := document.DecodeTracks(row.ColumnRawText(2))
			if err != nil {
				return nil //nolint:nilerr // a claim speaks of it
			}
			created := time.UnixMilli(row.ColumnInt64(0)).UTC()
			tally.Waiting(tracks, row.ColumnInt(1), created, func(sequence int) (time.Time, bool) {
				text := row.ColumnRawText(3) // is read only now, which for long ones takes time
				room -= len(text)
				events, err := document.DecodeEvents(text, sequence-1, 1)
				if err != nil || len(events) == 0 {
					return time.Time{}, false
				}
				return events[0].Time, true
			})
			if room <= 0 {
				return errEnough
			}
			return nil
		})
		if err != nil {
			return err
		}
		return upTo(c, selectParked, limit, tally, func(row *sqlite3.Stmt) error {
			if tracks, err := document.DecodeTracks(row.ColumnRawText(2)); err == nil {
				tally.Parked(tracks, row.ColumnInt(1))
			}
			return nil
		})
	})
	if err != nil {
		return nil, translate("backlog", err)
	}
	return tally.Backlogs(), nil
}

// upTo counts no more than limit rows, and takes note if there are more or count has enough of them.
func upTo(c *conn, sql string, limit int, tally *delivery.Tally, count func(*sqlite3.Stmt) error) error {
	n := 0
	err := c.query(sql, []any{limit + 1}, func(row *sqlite3.Stmt) error {
		n++
		if n > limit {
			return errEnough
		}
		return count(row)
	})
	if errors.Is(err, errEnough) {
		tally.More()
		return nil
	}
	return err
}
