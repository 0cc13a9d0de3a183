package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	selectOrder  = `SELECT doc FROM orders WHERE id = ?`
	selectEvents = `SELECT events FROM orders WHERE id = ?`
)

// Get implements ordering.Store.
func (s *Store) Get(ctx context.Context, id order.ID) (*order.Order, error) {
	var o *order.Order
	err := s.read(ctx, func(c *conn) (err error) {
		o, err = get(c, id)
		return err
	})
	return o, translate("get", err)
}

func get(c *conn, id order.ID) (*order.Order, error) {
	var o *order.Order
	err := c.query(selectOrder, []any{id[:]}, func(row *sqlite3.Stmt) (err error) {
		o, err = document.DecodeOrder(id, row.ColumnRawText(0))
		return err
	})
	if err == nil && o == nil {
		err = order.ErrNotFound
	}
	return o, err
}

// Events implements ordering.Store.
func (s *Store) Events(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
	var events []order.Event
	found := false
	err := s.read(ctx, func(c *conn) error {
		return c.query(selectEvents, []any{id[:]}, func(row *sqlite3.Stmt) (err error) {
			found = true
			events, err = document.DecodeEvents(row.ColumnRawText(0), after, limit)
			return err
		})
	})
	if err == nil && !found {
		err = order.ErrNotFound
	}
	return events, translate("events", err)
}

// read runs f on a connection of its own, in the newest committed state. It waits for a free one
// as long as ctx lasts; readers never wait for the writer. A ctx that ends interrupts f.
func (s *Store) read(ctx context.Context, f func(*conn) error) error {
	select {
	case c := <-s.readers:
		defer s.putReader(c)
		select {
		case <-s.stopped:
			return errClosed
		default:
		}
		c.SetInterrupt(ctx)
		err := f(c)
		if err != nil {
			s.noteDamage(err)
		}
		if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
			// The driver does not say whether the caller has gone or took too long.
			err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		return err
	case <-s.stopped:
		return errClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// putReader gives a connection back as it was taken: it listens to nobody's context, and it is in no
// transaction, in which it would go on to see what was committed then.
func (s *Store) putReader(c *conn) {
	c.SetInterrupt(context.Background())
	if !c.GetAutocommit() {
		if err := c.exec("ROLLBACK"); err != nil {
			// A connection that can't leave its transaction is of no more use.
			if fresh, err := openReader(s.path); err == nil {
				_ = c.Close() // it is given up whatever it says
				c = fresh
			}
		}
	}
	s.readers <- c
}
