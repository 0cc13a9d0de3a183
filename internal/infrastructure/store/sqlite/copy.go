package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	countOrders   = `SELECT count(*) FROM orders`
	selectRecords = `SELECT id, tracks, doc, events FROM orders INDEXED BY orders_id WHERE id > ? ORDER BY id LIMIT ?`
	selectRecord  = `SELECT id, tracks, doc, events FROM orders WHERE id = ?`
	insertRecord  = `
INSERT INTO orders (id, created_at, state, due_at, parked, placed_at, customer_id, reference, sequence, tracks, doc, events)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
)

// CountRecords implements copying.Source.
func (s *Store) CountRecords(ctx context.Context) (n int64, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query(countOrders, nil, func(row *sqlite3.Stmt) error {
			n = row.ColumnInt64(0)
			return nil
		})
	})
	return n, translate("count records", err)
}

// Records implements copying.Source.
func (s *Store) Records(ctx context.Context, wanted copying.Range) (copying.Page, error) {
	var page copying.Page
	size := 0
	err := s.read(ctx, func(c *conn) error {
		return c.query(selectRecords, []any{wanted.After[:], wanted.Limit}, func(row *sqlite3.Stmt) error {
			page.Next = order.ID(row.ColumnRawBlob(0))
			r, err := scanRecord(row)
			if err != nil {
				page.Unreadable = append(page.Unreadable, copying.Unreadable{ID: page.Next.String(), Err: err})
			} else {
				page.Records = append(page.Records, r)
			}
			if size += len(row.ColumnRawText(1)) + len(row.ColumnRawText(2)) + len(row.ColumnRawText(3)); size >= wanted.Bytes {
				return errEnough
			}
			return nil
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return copying.Page{}, translate("records", err)
	}
	return page, nil
}

// scanRecord reads a row of selectRecords or selectRecord.
func scanRecord(row *sqlite3.Stmt) (r copying.Record, err error) {
	id := order.ID(row.ColumnRawBlob(0))
	if r.Order, err = document.DecodeOrder(id, row.ColumnRawText(2)); err != nil {
		return r, err
	}
	if r.Tracks, err = document.DecodeTracks(row.ColumnRawText(1)); err == nil {
		r.Events, err = document.DecodeEvents(row.ColumnRawText(3), 0, r.Order.Sequence())
	}
	if err != nil {
		err = fmt.Errorf("order %s: %w", id, err)
	}
	return r, err
}

// InsertRecords implements copying.Destination.
func (s *Store) InsertRecords(ctx context.Context, records []copying.Record) []copying.Inserted {
	answers := make([]copying.Inserted, len(records))
	buffer := takeBuffer()
	text := *buffer
	rows := make([]encoded, len(records))
	for i := range records {
		text = encodeRecord(&rows[i], text, &records[i])
	}
	err := s.write(ctx, true, len(records), func(c *conn) error {
		for i := range rows {
			made, err := insertEncoded(c, &records[i], &rows[i], text)
			if err != nil && c.GetAutocommit() {
				return err // the whole transaction is gone
			}
			answers[i] = copying.Inserted{Existing: !made, Err: translate("insert record", err)}
		}
		return nil
	})
	giveBuffer(buffer, text)
	for i := range answers {
		switch {
		case err != nil:
			answers[i] = copying.Inserted{Err: err}
		case answers[i].Err == nil && answers[i].Existing:
			answers[i].Differs, answers[i].Err = s.difference(ctx, &records[i])
		}
	}
	return answers
}

// encodeRecord appends the stored form of a record to text.
func encodeRecord(e *encoded, text []byte, r *copying.Record) []byte {
	e.due = dueColumn(r.Tracks, r.Order.Sequence())
	e.tracks = len(text)
	text = document.AppendTracks(text, r.Tracks)
	e.doc = len(text)
	text = document.AppendOrder(text, r.Order.View())
	e.events = len(text)
	text = document.AppendEvents(text, r.Events)
	e.to = len(text)
	return text
}

// insertEncoded writes a record, and reports whether its id was free.
func insertEncoded(c *conn, r *copying.Record, e *encoded, buffer []byte) (made bool, err error) {
	s := r.Order.View()
	var reference any
	if s.Reference != "" {
		reference = s.Reference
	}
	err = c.exec(insertRecord, s.ID[:], s.CreatedAt.UnixMilli(), stateOf(r.Order), e.due, parkedColumn(r.Tracks), s.PlacedAt.UnixMilli(),
		s.CustomerID, reference, s.Sequence, text(buffer[e.tracks:e.doc]), text(buffer[e.doc:e.events]), text(buffer[e.events:e.to]))
	return err == nil && c.Changes() == 1, err
}

// difference compares a record with what is there of the order.
func (s *Store) difference(ctx context.Context, record *copying.Record) (differs string, err error) {
	id := record.Order.ID()
	found := false
	err = s.read(ctx, func(c *conn) error {
		return c.query(selectRecord, []any{id[:]}, func(row *sqlite3.Stmt) error {
			there, err := scanRecord(row)
			if err == nil {
				found, differs = true, document.Difference(&there, record)
			}
			return err
		})
	})
	if err == nil && !found {
		err = order.ErrNotFound
	}
	return differs, translate("compare record", err)
}
