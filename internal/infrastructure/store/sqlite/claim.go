package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	selectDue = `SELECT key, id, sequence, tracks, doc, events FROM orders INDEXED BY orders_due
WHERE due_at <= ? ORDER BY due_at, id LIMIT ?`
	// selectAhead goes through what is not due yet, for leases of processes that are gone.
	selectAhead = `SELECT key, id, sequence, tracks, doc, events, due_at FROM orders INDEXED BY orders_due
WHERE due_at IS NOT NULL AND (due_at, id) > (?, ?) ORDER BY due_at, id LIMIT ?`
	updateDue = `UPDATE orders SET due_at = ? WHERE key = ?`
)

const (
	// maxLooks bounds how much a claim that finds nothing for its subscribers writes.
	maxLooks = 8
	// maxClaimBytes bounds what a claim of large orders reads, in bytes, but for the last of them.
	maxClaimBytes = 32 << 20
	// damagedDelay is how long an order that can't be read is left alone before it is looked at again.
	damagedDelay = 5 * time.Minute
)

// dueRow is an order that may have due tracks, with what is needed to tell them.
type dueRow struct {
	tracksRow
	doc, events []byte
	leased      []delivery.Track
	err         error // why its tracks can't be read
}

func scanDue(row *sqlite3.Stmt) dueRow {
	t, err := scanTracks(row)
	return dueRow{
		tracksRow: t, doc: slices.Clone(row.ColumnRawText(4)), events: slices.Clone(row.ColumnRawText(5)), err: err,
	}
}

// errEnough ends a query that has found as much as is wanted.
var errEnough = errors.New("enough")

// Claim implements delivery.Store. An order that can't be read delays nobody but itself.
func (s *Store) Claim(ctx context.Context, claim delivery.Claim) ([]delivery.Task, error) {
	s.owners.add(claim.Owner)
	s.claiming.Lock()
	defer s.claiming.Unlock()
	var rows []dueRow
	var search abandoned
	err := s.write(ctx, true, claim.Limit, func(c *conn) error {
		return savepoint(c, func() (err error) {
			search = s.abandoned
			rows, err = s.claimRows(ctx, c, claim, &search)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	s.abandoned = search

	var tasks []delivery.Task
	for i := range rows {
		more, err := rows[i].tasks()
		if err != nil {
			s.damaged(ctx, &rows[i], err)
			if err := s.putOff(ctx, rows[i].key, claim.Now); err != nil {
				return nil, err
			}
			continue
		}
		tasks = append(tasks, more...)
	}
	return tasks, nil
}

// claimRows leases what is due until there is enough. Orders that only wait for subscribers of others
// are put off and looked past, so that they do not hold up the rest.
func (s *Store) claimRows(ctx context.Context, c *conn, claim delivery.Claim, search *abandoned) ([]dueRow, error) {
	var rows []dueRow
	room := s.claimed
	for range maxLooks {
		found, err := s.dueRows(c, claim, search, claim.Limit-len(rows), room)
		if err != nil {
			return nil, err
		}
		for i := range found {
			room -= found[i].size()
			if err := s.claimRow(ctx, c, &found[i], claim); err != nil {
				return nil, err
			}
			if len(found[i].leased) > 0 {
				rows = append(rows, found[i])
			}
		}
		if len(found) == 0 || len(rows) == claim.Limit || room <= 0 {
			break
		}
	}
	return rows, nil
}

// claimRow leases what is due of one order, or puts the order off if it can't be read.
func (s *Store) claimRow(ctx context.Context, c *conn, r *dueRow, claim delivery.Claim) error {
	if r.err != nil {
		s.damaged(ctx, r, r.err)
		return c.exec(updateDue, millis(claim.Now.Add(damagedDelay)), r.key)
	}
	r.leased = r.tracks.Claim(r.sequence, claim)
	return r.write(c)
}

// dueRows finds no more than limit orders that are due, and stops with the one that takes the last of
// room, in bytes.
func (s *Store) dueRows(c *conn, claim delivery.Claim, search *abandoned, limit, room int) ([]dueRow, error) {
	var rows []dueRow
	err := c.query(selectDue, []any{millis(claim.Now), limit}, func(row *sqlite3.Stmt) error {
		r := scanDue(row)
		rows = append(rows, r)
		if room -= r.size(); room <= 0 {
			return errEnough
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		return rows, nil
	case err != nil:
		return nil, err
	}
	return s.claimAbandoned(c, rows, claim, search, limit, room)
}

// size is what the order takes of a claim's bytes.
func (r *dueRow) size() int { return len(r.doc) + len(r.events) }

// tasks is what the leased tracks of an order are to be told.
func (r *dueRow) tasks() ([]delivery.Task, error) {
	tasks := make([]delivery.Task, len(r.leased))
	for i, t := range r.leased {
		var err error
		if tasks[i], err = r.task(t); err != nil {
			return nil, err
		}
	}
	return tasks, nil
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

// putOff leaves an order alone for a while.
func (s *Store) putOff(ctx context.Context, key int64, now time.Time) error {
	return s.write(ctx, true, 1, func(c *conn) error {
		return c.exec(updateDue, millis(now.Add(damagedDelay)), key)
	})
}

// damaged tells an operator of an order that can't be read.
func (s *Store) damaged(ctx context.Context, r *dueRow, err error) {
	s.log.ErrorContext(ctx, "stored order can't be read; its events are not told", slog.String("order_id", r.id.String()), slog.Any("error", err))
}
