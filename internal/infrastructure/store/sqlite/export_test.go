package sqlite

import (
	"context"
	"fmt"
)

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
