package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/sqlite"
)

func create(s *sqlite.Store, o *order.Order) error {
	return s.Create(context.Background(), []ordering.NewOrder{{Order: o, Handover: told}})[0].Err
}

func wantCode(t *testing.T, err error, code, text string) {
	t.Helper()
	f := fault.Of(err)
	if f.Kind != fault.Unavailable || f.Code != code || !strings.Contains(f.Message, text) {
		t.Errorf("got %s (%v), want %s that says %q", f.Code, err, code, text)
	}
}

func TestOpenSaysWhatToDo(t *testing.T) {
	t.Run("in use", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "orders.db")
		s, err := sqlite.Open(sqlite.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		_, err = sqlite.Open(sqlite.Config{Path: path})
		wantCode(t, err, "store_in_use", "another process")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, err = sqlite.Open(sqlite.Config{Path: path})
		if err != nil {
			t.Fatalf("after the first was closed: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("newer schema", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "orders.db")
		c, err := sqlite3.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Exec("PRAGMA user_version = 999"), c.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = sqlite.Open(sqlite.Config{Path: path})
		wantCode(t, err, "store_too_new", "start the newer version")
	})
	t.Run("no database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "orders.db")
		if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(sqlite.Config{Path: path})
		wantCode(t, err, "store_damaged", "restore it from a backup")
	})
	t.Run("another program's database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "orders.db")
		c, err := sqlite3.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Exec("CREATE TABLE orders (n)"), c.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = sqlite.Open(sqlite.Config{Path: path})
		wantCode(t, err, "store_foreign", "another program")
	})
	t.Run("path is a folder", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "orders.db")
		if err := os.Mkdir(path, 0o750); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(sqlite.Config{Path: path})
		wantCode(t, err, "store_unreachable", "DATA_DIR")
	})
	t.Run("folder is a file", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(folder, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(sqlite.Config{Path: filepath.Join(folder, "orders.db")})
		wantCode(t, err, "store_read_only", "DATA_DIR")
	})
	t.Run("odd characters in the path", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a b?c#d%41&é", "orders.db")
		s, err := sqlite.Open(sqlite.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(create(s, newOrder(t, time.Now())), s.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	})
}

// TestFullDisk fills the file: what was acknowledged stays, readiness says no, and all works again
// once there is room.
func TestFullDisk(t *testing.T) {
	s := openStore(t)
	first := newOrder(t, time.Now())
	if err := create(s, first); err != nil {
		t.Fatal(err)
	}
	if err := s.LimitPages(8); err != nil {
		t.Fatal(err)
	}
	acknowledged := []order.ID{first.ID()}
	var err error
	for range 1_000 {
		o := newOrder(t, time.Now())
		if err = create(s, o); err != nil {
			break
		}
		acknowledged = append(acknowledged, o.ID())
	}
	wantCode(t, err, "store_full", "disk is full")
	batch := make([]ordering.NewOrder, 50)
	for i := range batch {
		batch[i] = ordering.NewOrder{Order: newOrder(t, time.Now()), Handover: told}
	}
	for i, c := range s.Create(t.Context(), batch) {
		wantCode(t, c.Err, "store_full", "disk is full")
		if _, err := s.Get(t.Context(), batch[i].Order.ID()); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("an order that was refused is there: %v", err)
		}
	}
	for _, id := range acknowledged {
		if _, err := s.Get(t.Context(), id); err != nil {
			t.Errorf("an acknowledged order is gone: %v", err)
		}
	}
	if err := s.LimitPages(0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Ping(t.Context()), create(s, newOrder(t, time.Now()))); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestFullQueueAnswersAtOnce(t *testing.T) {
	s, err := sqlite.Open(sqlite.Config{Path: filepath.Join(t.TempDir(), "orders.db"), QueueSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	release := s.Hold()
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	waits := newOrder(t, time.Now())
	go func() {
		waiting <- s.Create(ctx, []ordering.NewOrder{{Order: waits, Handover: told}})[0].Err
	}()
	// One write waits in the queue of one: sooner or later another is refused, or is that one.
	refused := newOrder(t, time.Now())
	for {
		short, stop := context.WithTimeout(t.Context(), time.Millisecond)
		err := s.Create(short, []ordering.NewOrder{{Order: refused, Handover: told}})[0].Err
		stop()
		if !errors.Is(err, context.DeadlineExceeded) {
			wantCode(t, err, "store_busy", "try again")
			if fault.Of(err).RetryAfter <= 0 {
				t.Error("no hint when to try again")
			}
			break
		}
	}
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) && fault.Of(err).Code != "store_busy" {
		t.Errorf("a write given up while it waited: %v", err)
	}
	release()
	if err := s.LimitPages(0); err != nil { // waits for its turn behind the queue
		t.Fatal(err)
	}
	for _, o := range []*order.Order{waits, refused} {
		if _, err := s.Get(t.Context(), o.ID()); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("a write that was given up is there: %v", err)
		}
	}
}

func TestPanicFailsOneWriteOnly(t *testing.T) {
	s := openStore(t)
	if err := s.Panic(); fault.KindOf(err) != fault.Internal || strings.Contains(fault.Of(err).Message, "in a write") {
		t.Errorf("got %v", err)
	}
	if err := create(s, newOrder(t, time.Now())); err != nil {
		t.Errorf("the next write: %v", err)
	}
}

// TestLeasesOfADeadProcess claims what a process that was killed had leased, without waiting for the
// end of its leases.
func TestLeasesOfADeadProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.db")
	s, err := sqlite.Open(sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for range 25 {
		h := delivery.Handover{Subscribers: []string{"events"}, Owner: "dead", Until: now.Add(time.Hour)}
		if c := s.Create(t.Context(), []ordering.NewOrder{{Order: newOrder(t, now), Handover: h}})[0]; c.Err != nil || len(c.Leased) != 1 {
			t.Fatal(c.Err, c.Leased)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = sqlite.Open(sqlite.Config{Path: path}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	claim := delivery.Claim{Owner: "alive", Subscribers: []string{"events"}, Now: now, Until: now.Add(time.Hour), Limit: 10}
	total := 0
	for range 4 {
		tasks, err := s.Claim(t.Context(), claim)
		if err != nil {
			t.Fatal(err)
		}
		total += len(tasks)
	}
	if total != 25 {
		t.Errorf("claimed %d of 25", total)
	}
}

// TestClaimsAreBoundedInBytes claims orders that are too large to be claimed all at once: those that are
// due, and those that a process that is gone had leased.
func TestClaimsAreBoundedInBytes(t *testing.T) {
	for name, owner := range map[string]string{"due": "", "abandoned": "dead"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "orders.db")
			s, err := sqlite.Open(sqlite.Config{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			const orders = 20
			for range orders {
				h := delivery.Handover{Subscribers: []string{"events"}, Owner: owner, Until: now.Add(time.Hour)}
				if c := s.Create(t.Context(), []ordering.NewOrder{{Order: newOrder(t, now), Handover: h}})[0]; c.Err != nil {
					t.Fatal(c.Err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = sqlite.Open(sqlite.Config{Path: path}); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.LimitClaims(1_500) // an order takes about 700 bytes
			later := now.Add(time.Minute)
			seen := make(map[order.ID]bool)
			for range orders {
				tasks, err := s.Claim(t.Context(), delivery.Claim{
					Owner: "me", Subscribers: []string{"events"}, Now: later, Until: later.Add(time.Hour), Limit: orders,
				})
				if err != nil {
					t.Fatal(err)
				}
				if len(tasks) > 4 {
					t.Errorf("a claim has %d orders, want a few", len(tasks))
				}
				for _, task := range tasks {
					seen[task.Order.ID()] = true
				}
			}
			if len(seen) != orders {
				t.Errorf("%d orders were claimed, want all %d", len(seen), orders)
			}
		})
	}
}

// TestUnknownSubscribersDoNotHoldUpClaims puts orders that nobody here can tell before one that can
// be told.
func TestUnknownSubscribersDoNotHoldUpClaims(t *testing.T) {
	s := openStore(t)
	now := time.Now()
	for i, subscriber := range []string{"gone", "gone", "gone", "gone", "gone", "events"} {
		o := newOrder(t, now.Add(time.Duration(i)*time.Millisecond))
		h := delivery.Handover{Subscribers: []string{subscriber}}
		if c := s.Create(t.Context(), []ordering.NewOrder{{Order: o, Handover: h}})[0]; c.Err != nil {
			t.Fatal(c.Err)
		}
	}
	later := now.Add(time.Minute)
	tasks, err := s.Claim(t.Context(), delivery.Claim{
		Owner: "me", Subscribers: []string{"events"}, Now: later, Until: later.Add(time.Minute), Limit: 2,
	})
	if err != nil || len(tasks) != 1 {
		t.Errorf("claimed %d, %v, want the one order that can be told", len(tasks), err)
	}
}
