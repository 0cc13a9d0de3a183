package sqlite

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	selectForChange = `SELECT key, sequence, tracks, doc FROM orders WHERE id = ?`
	updateOrder     = `
UPDATE orders SET state = ?, due_at = ?, sequence = ?, tracks = ?, doc = ?, events = events || ? WHERE key = ?`
)

// Change implements ordering.Store. The change is applied by the writer, between reading and
// writing the order: nobody else can have changed it meanwhile, so there is never a conflict.
func (s *Store) Change(
	ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
) (ordering.Changed, error) {
	s.owners.add(h.Owner)
	var changed ordering.Changed
	var refused error // by change itself
	err := s.write(ctx, false, 1, func(c *conn) (err error) {
		changed, err = applyChange(c, id, h, now, func(o *order.Order) error {
			refused = change(o)
			return refused
		})
		return err
	})
	if refused != nil {
		return ordering.Changed{}, refused
	}
	if err != nil {
		return ordering.Changed{}, err
	}
	return changed, nil
}

func applyChange(
	c *conn, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
) (ordering.Changed, error) {
	var key int64
	var before int
	var tracks delivery.Tracks
	var o *order.Order
	err := c.query(selectForChange, []any{id[:]}, func(row *sqlite3.Stmt) (err error) {
		key, before = row.ColumnInt64(0), row.ColumnInt(1)
		if tracks, err = document.DecodeTracks(row.ColumnRawText(2)); err != nil {
			return err
		}
		o, err = document.DecodeOrder(id, row.ColumnRawText(3))
		return err
	})
	if err != nil {
		return ordering.Changed{}, err
	}
	if o == nil {
		return ordering.Changed{}, order.ErrNotFound
	}
	if err := change(o); err != nil {
		return ordering.Changed{}, err
	}
	changed := ordering.Changed{Order: o}
	if !o.Unsaved() {
		return changed, nil
	}
	if o.Changed() {
		changed.Leased = tracks.Changed(before, o.Sequence(), h, now)
	}

	buffer := takeBuffer()
	b := document.AppendTracks(*buffer, tracks)
	doc := len(b)
	b = document.AppendOrder(b, o.View())
	events := len(b)
	b = document.AppendEvents(b, o.Events())
	err = c.exec(updateOrder, stateOf(o), dueColumn(tracks, o.Sequence()), o.Sequence(),
		text(b[:doc]), text(b[doc:events]), text(b[events:]), key)
	giveBuffer(buffer, b)
	return changed, err
}
