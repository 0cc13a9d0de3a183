package sqlite_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/sqlite"
)

// TestDamagedFileDoesNotOpen damages the page that says what tables there are.
func TestDamagedFileDoesNotOpen(t *testing.T) {
	const headerSize = 100
	for name, from := range map[string]int{"header": 0, "schema": headerSize} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "orders.db")
			closedWith(t, path, 1)
			spoilFile(t, path, func(data []byte) { spoil(data[from : headerSize*2]) })
			if s, err := sqlite.Open(sqlite.Config{Path: path}); err == nil {
				t.Errorf("a damaged file opens; Close: %v", s.Close())
			} else {
				wantCode(t, err, "store_damaged", "backup")
			}
		})
	}
}

// TestDamagedOrdersAreNotRead damages the pages in which orders lie, and no other: the file opens, and
// a read of an order is a clear error, not a wrong answer.
func TestDamagedOrdersAreNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.db")
	ids := closedWith(t, path, 200)
	spoilOrders(t, path)
	s, err := sqlite.Open(sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range ids {
		_, err := s.Get(t.Context(), id)
		wantCode(t, err, "store_damaged", "damaged")
	}
}

// TestDamagedFileIsNotReady finds the damage by reading and by writing: from then on readiness says no,
// though the row that it writes lies in a page that is whole.
func TestDamagedFileIsNotReady(t *testing.T) {
	for name, meet := range map[string]func(s *sqlite.Store, id order.ID) error{
		"read": func(s *sqlite.Store, id order.ID) error {
			_, err := s.Get(t.Context(), id)
			return err
		},
		"written": func(s *sqlite.Store, id order.ID) error {
			_, err := s.Change(t.Context(), id, delivery.Handover{}, time.Now(), func(*order.Order) error { return nil })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "orders.db")
			ids := closedWith(t, path, 200)
			spoilOrders(t, path)
			s, err := sqlite.Open(sqlite.Config{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Ping(t.Context()); err != nil {
				t.Fatalf("before anybody has met the damage: %v", err)
			}
			wantCode(t, meet(s, ids[0]), "store_damaged", "damaged")
			for range 2 {
				wantCode(t, s.Ping(t.Context()), "store_damaged", "damaged")
			}
		})
	}
}

// TestDamagedRecordLeavesTheStoreReady spoils what one order has: the others can be kept, so readiness
// says yes.
func TestDamagedRecordLeavesTheStoreReady(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.db")
	ids := closedWith(t, path, 2)
	s, err := sqlite.Open(sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	spoilColumn(t, path, "doc", ids[0])
	if _, err := s.Get(t.Context(), ids[0]); err == nil {
		t.Error("a damaged order is read")
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("not ready for a single order: %v", err)
	}
}

// closedWith makes a file with n orders and closes it.
func closedWith(t *testing.T, path string, n int) []order.ID {
	t.Helper()
	s, err := sqlite.Open(sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	var ids []order.ID
	for range n {
		o := newOrder(t, time.Now())
		if err := create(s, o); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, o.ID())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// spoilOrders damages every page that holds orders, and no other.
func spoilOrders(t *testing.T, path string) {
	t.Helper()
	pages, size := leafPages(t, path)
	spoilFile(t, path, func(data []byte) {
		for _, page := range pages {
			spoil(data[(page-1)*size : page*size])
		}
	})
}

// leafPages returns the numbers, from 1, of the pages that hold orders themselves, and the page size.
// A page of rows begins with the byte 13; which pages are the table's is told by what they hold.
func leafPages(t *testing.T, path string) (pages []int, size int) {
	t.Helper()
	const leafOfTable = 13
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size = int(data[16])<<8 | int(data[17])
	for page := 2; page*size <= len(data); page++ {
		content := data[(page-1)*size : page*size]
		if content[0] == leafOfTable && bytes.Contains(content, []byte("customer-")) {
			pages = append(pages, page)
		}
	}
	if len(pages) == 0 {
		t.Fatalf("no page of %d has orders", len(data)/size)
	}
	return pages, size
}

func spoilFile(t *testing.T, path string, damage func(data []byte)) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damage(data)
	if err := os.WriteFile(path, data, 0o600); err != nil { //nolint:gosec // the test's own file
		t.Fatal(err)
	}
}

func spoil(data []byte) {
	for i := range data {
		data[i] ^= 0x5a
	}
}

// spoilColumn overwrites what one column has of an order, on a connection of its own beside an open
// store.
func spoilColumn(t *testing.T, path, column string, id order.ID) {
	t.Helper()
	c, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Exec("PRAGMA busy_timeout = 5000")
	stmt, _, prepareErr := c.Prepare("UPDATE orders SET " + column + " = '{damaged' WHERE id = ?")
	if err := errors.Join(err, prepareErr); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stmt.BindBlob(1, id[:]), stmt.Exec(), stmt.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
}
