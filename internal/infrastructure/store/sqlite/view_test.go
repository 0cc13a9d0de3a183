package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/infrastructure/store/sqlite"
)

// TestReadersDoNotHoldUpTheLog writes much more than the log may hold, while an order is read now and
// then: the views that readers keep must not keep the log from being begun anew.
func TestReadersDoNotHoldUpTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.db")
	s, err := sqlite.Open(sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o := newOrder(t, time.Now())
	if err := create(s, o); err != nil {
		t.Fatal(err)
	}
	// A log that is begun anew gets to 20 MiB, and to more on a slow disk: commits go on while it is copied. Else it gets to 95.
	const most = 80 << 20
	batch := make([]ordering.NewOrder, 1_000)
	for n := range 40 {
		for i := range batch {
			batch[i] = ordering.NewOrder{Order: newOrder(t, time.Now()), Handover: told}
		}
		for _, c := range s.Create(t.Context(), batch) {
			if c.Err != nil {
				t.Fatal(c.Err)
			}
		}
		if _, err := s.Get(t.Context(), o.ID()); err != nil {
			t.Fatal(err)
		}
		if log, err := os.Stat(path + "-wal"); err != nil || log.Size() > most {
			t.Fatalf("after %d writes the log has %d MiB, %v", n, log.Size()>>20, err)
		}
	}
}
