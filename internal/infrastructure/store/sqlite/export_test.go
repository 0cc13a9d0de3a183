package sqlite

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"order-processing-service/internal/application/ordering"
)

// NewLogFile puts the gathering of log writes before f.
func NewLogFile(f vfs.File) vfs.File { return &logFile{File: f} }

// LimitPages makes the file full for the test: it may have n pages more than now; 0 lifts the limit.
func (s *Store) LimitPages(n int) error {
	return s.write(context.Background(), true, 1, func(c *conn) error {
		have, err := pragma(c.Conn, "page_count")
		if err != nil {
			return err
		}
		limit := have + n
		if n == 0 {
			limit = 1 << 30
		}
		_, err = pragma(c.Conn, fmt.Sprintf("max_page_count = %d", limit))
		return err
	})
}

// Hold keeps the writer busy until release is called.
func (s *Store) Hold() (release func()) {
	held, done := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.write(context.Background(), true, 1, func(*conn) error {
			close(held)
			<-done
			return nil
		})
	}()
	<-held
	return func() { close(done) }
}

// Panic makes a write panic.
func (s *Store) Panic() error {
	return s.write(context.Background(), true, 1, func(*conn) error { panic("in a write") })
}

// SortNothing makes lists by placed_at go through all orders from the newest on. It must be called
// before the store is used.
func (s *Store) SortNothing() { s.sorted = 0 }

// LimitClaims makes a claim read no more than so many bytes of orders, and the last of them. It must be
// called before the store is used.
func (s *Store) LimitClaims(bytes int) { s.claimed = bytes }

// LimitBacklogs makes a look at the backlog read no more than so many bytes of histories, and the last of
// them. It must be called before the store is used.
func (s *Store) LimitBacklogs(bytes int) { s.counted = bytes }

// BacklogPlans are what SQLite says of how it finds the backlog.
func (s *Store) BacklogPlans(ctx context.Context) (plans []string, err error) {
	err = s.read(ctx, func(c *conn) error {
		for _, sql := range []string{selectWaiting, selectParked} {
			err := c.query("EXPLAIN QUERY PLAN "+sql, []any{1}, func(row *sqlite3.Stmt) error {
				plans = append(plans, row.ColumnText(3))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return plans, err
}

// CreateThen inserts the orders in one write that then ends as end does.
func (s *Store) CreateThen(orders []ordering.NewOrder, end func() error) error {
	return s.write(context.Background(), true, len(orders), func(c *conn) error {
		return savepoint(c, func() error {
			for i := range orders {
				var e encoded
				var answer ordering.Created
				text := encodeNew(&e, nil, &orders[i], &answer)
				if _, err := insert(c, orders[i].Order, &e, text); err != nil {
					return err
				}
			}
			return end()
		})
	})
}
