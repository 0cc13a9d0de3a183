package sqlite

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

// maxDeliveries bounds a page of deliveries whatever is asked for.
const maxDeliveries = 1_000

// Deliveries implements delivery.Store.
func (s *Store) Deliveries(ctx context.Context, q delivery.Query) (delivery.Page, error) {
	due, id, err := parseAfter(q.After)
	if err != nil {
		return delivery.Page{}, err
	}
	sql := `SELECT due_at, id, sequence, tracks FROM orders INDEXED BY orders_due
WHERE due_at IS NOT NULL AND (due_at, id) > (?, ?) ORDER BY due_at, id`
	args := []any{due, id[:]}
	if q.State == delivery.StateParked {
		sql = `SELECT 0, id, sequence, tracks FROM orders INDEXED BY orders_parked
WHERE parked IS NOT NULL AND id > ? ORDER BY id`
		args = args[1:]
	}
	limit := min(max(q.Limit, 1), maxDeliveries)
	var page delivery.Page
	err = s.read(ctx, func(c *conn) error {
		return c.query(sql+" LIMIT ?", append(args, limit+1), func(row *sqlite3.Stmt) error {
			if len(page.Deliveries) >= limit {
				page.Next = formatAfter(due, id)
				return nil
			}
			due, id = row.ColumnInt64(0), order.ID(row.ColumnRawBlob(1))
			tracks, err := document.DecodeTracks(row.ColumnRawText(3))
			if err != nil {
				return err
			}
			page.Deliveries = append(page.Deliveries, tracks.List(id, row.ColumnInt(2), q.State)...)
			return nil
		})
	})
	if err != nil {
		return delivery.Page{}, translate("deliveries", err)
	}
	return page, nil
}

// formatAfter and parseAfter are the opaque form of a place in the list of deliveries.
func formatAfter(due int64, id order.ID) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(due)) //nolint:gosec // bits only
	return base64.RawURLEncoding.EncodeToString(append(b, id[:]...))
}

func parseAfter(text string) (due int64, id order.ID, err error) {
	if text == "" {
		return math.MinInt64, order.ID{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != 8+len(id) || strings.ContainsAny(text, "\r\n") { // which base64 passes over
		return 0, id, fault.New(fault.Invalid, "cursor_invalid", "must be the next_cursor of an earlier answer, unchanged")
	}
	return int64(binary.BigEndian.Uint64(b)), order.ID(b[8:]), nil //nolint:gosec // bits only
}

// Redrive implements delivery.Store.
func (s *Store) Redrive(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	return s.changeTracks(ctx, id, func(tracks delivery.Tracks, sequence int) error {
		return tracks.Redrive(sequence, subscriber, now)
	})
}

// Skip implements delivery.Store.
func (s *Store) Skip(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	return s.changeTracks(ctx, id, func(tracks delivery.Tracks, sequence int) error {
		return tracks.Skip(sequence, subscriber, now)
	})
}

// changeTracks applies change to the tracks of one order and writes them.
func (s *Store) changeTracks(ctx context.Context, id order.ID, change func(delivery.Tracks, int) error) error {
	return s.write(ctx, false, 1, func(c *conn) error {
		t, err := readTracks(c, id)
		if err != nil {
			return err
		}
		if t.key == 0 {
			return order.ErrNotFound
		}
		if err := change(t.tracks, t.sequence); err != nil {
			return err
		}
		return t.write(c)
	})
}
