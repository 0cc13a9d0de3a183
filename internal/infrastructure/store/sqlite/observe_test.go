package sqlite_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/sqlite"
)

// TestCommitsAreObserved has writes wait for a busy writer: they are counted while they wait, and committed together. What
// fails alone in a transaction was a write of it; a transaction that fails is none.
func TestCommitsAreObserved(t *testing.T) {
	var writes []int // guarded by nothing: the writer calls, and has ended when it is read
	s, err := sqlite.Open(sqlite.Config{
		Path: filepath.Join(t.TempDir(), "orders.db"),
		Observe: func(operation string, n int, took time.Duration) {
			if operation != "commit" || took <= 0 {
				t.Errorf("a commit is told as %q, in %v", operation, took)
			}
			writes = append(writes, n)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.QueueDepth(); n != 0 {
		t.Errorf("%d writes wait before there is any", n)
	}
	release := s.Hold()
	const waiting = 5
	var callers sync.WaitGroup
	for range waiting {
		o := newOrder(t, time.Now())
		callers.Go(func() {
			if err := create(s, o); err != nil {
				t.Error(err)
			}
		})
	}
	for s.QueueDepth() < waiting && t.Context().Err() == nil {
		runtime.Gosched()
	}
	release()
	callers.Wait()
	_, err = s.Change(t.Context(), order.ID{}, told, time.Now(), func(*order.Order) error { return nil })
	if !errors.Is(err, order.ErrNotFound) {
		t.Errorf("Change of no order: %v", err)
	}
	if err := s.LimitPages(1); err != nil {
		t.Fatal(err)
	}
	for err == nil || errors.Is(err, order.ErrNotFound) { // until the file is full
		err = create(s, newOrder(t, time.Now()))
		if err == nil {
			continue
		}
		wantCode(t, err, "store_full", "full")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(writes) < 4 || !slices.Equal(writes[:4], []int{1, waiting, 1, 1}) || slices.ContainsFunc(writes[4:], func(n int) bool { return n != 1 }) {
		t.Errorf("transactions of %v writes, want the one that held the writer, %d together, and one each", writes, waiting)
	}
}
