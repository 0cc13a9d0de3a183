package sqlite

import (
	"context"
	"fmt"
	"sync"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

const insertOrder = `
INSERT INTO orders (id, created_at, state, due_at, placed_at, customer_id, reference, sequence, tracks, doc, events)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`

// encoded says where in a buffer the stored form of one order lies. It is made by the caller of the
// store, so that the writer need not do the work.
type encoded struct {
	due                     any
	tracks, doc, events, to int // where each part begins, and where the last one ends
}

// buffers hold encoded orders until they are written.
//
//nolint:gochecknoglobals // a pool shares memory, not state
var buffers sync.Pool

// maxPooled keeps one huge order from holding its memory for ever.
const maxPooled = 1 << 20

// takeBuffer returns an empty buffer, to be given back with giveBuffer.
func takeBuffer() *[]byte {
	if buffer, ok := buffers.Get().(*[]byte); ok {
		return buffer
	}
	return new([]byte)
}

// giveBuffer gives a buffer back in the form to which it has grown.
func giveBuffer(buffer *[]byte, grown []byte) {
	if cap(grown) <= maxPooled {
		*buffer = grown[:0]
		buffers.Put(buffer)
	}
}

// Create implements ordering.Store.
func (s *Store) Create(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
	answers := make([]ordering.Created, len(orders))
	buffer := takeBuffer()
	text := *buffer
	rows := make([]encoded, len(orders))
	for i := range orders {
		s.owners.add(orders[i].Handover.Owner)
		text = encodeNew(&rows[i], text, &orders[i], &answers[i])
	}
	err := s.write(ctx, false, len(orders), func(c *conn) error {
		for i := range rows {
			existing, err := insert(c, orders[i].Order, &rows[i], text)
			if err != nil && c.GetAutocommit() {
				return err // the whole transaction is gone
			}
			if err != nil || existing != nil {
				answers[i] = ordering.Created{Existing: existing, Err: translate("create", err)}
			}
		}
		return nil
	})
	giveBuffer(buffer, text)
	if err != nil {
		for i := range answers {
			answers[i] = ordering.Created{Err: err}
		}
	}
	return answers
}

// encodeNew appends the stored form of a new order to text.
func encodeNew(e *encoded, text []byte, n *ordering.NewOrder, answer *ordering.Created) []byte {
	var tracks delivery.Tracks
	answer.Leased = tracks.Changed(0, n.Order.Sequence(), n.Handover, n.Order.View().CreatedAt)
	e.due = dueColumn(tracks, n.Order.Sequence())
	e.tracks = len(text)
	text = document.AppendTracks(text, tracks)
	e.doc = len(text)
	text = document.AppendOrder(text, n.Order.View())
	e.events = len(text)
	text = document.AppendEvents(text, n.Order.Events())
	e.to = len(text)
	return text
}

// insert writes a new order, or returns the one that has its id.
func insert(c *conn, o *order.Order, e *encoded, buffer []byte) (*order.Order, error) {
	s := o.View()
	var reference any
	if s.Reference != "" {
		reference = s.Reference
	}
	err := c.exec(insertOrder, s.ID[:], s.CreatedAt.UnixMilli(), stateOf(o), e.due, s.PlacedAt.UnixMilli(), s.CustomerID, reference,
		s.Sequence, text(buffer[e.tracks:e.doc]), text(buffer[e.doc:e.events]), text(buffer[e.events:e.to]))
	if err != nil {
		return nil, err
	}
	if c.Changes() == 1 {
		return nil, nil //nolint:nilnil // no existing order is the usual answer
	}
	existing, err := get(c, s.ID)
	if err != nil {
		return nil, fmt.Errorf("read the order that has the id: %w", err)
	}
	return existing, nil
}

// dueColumn is when the order is to be looked at next, or NULL.
func dueColumn(tracks delivery.Tracks, sequence int) any {
	if due, ok := tracks.DueAt(sequence); ok {
		return millis(due)
	}
	return nil
}

// parkedColumn marks an order that has a parked track.
func parkedColumn(tracks delivery.Tracks) any {
	if tracks.Parked() {
		return 1
	}
	return nil
}

// millis is a time in the form of the columns; the zero time is before all others.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
