// Package sqlite keeps orders in an embedded SQLite file: one row an order, written by one goroutine
// that commits whatever is waiting in one durable transaction (group commit; WAL, synchronous=FULL),
// and read by connections that never wait for it. One process at a time may have the file open.
package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
)

var (
	_ ordering.Store      = (*Store)(nil)
	_ delivery.Store      = (*Store)(nil)
	_ copying.Source      = (*Store)(nil)
	_ copying.Destination = (*Store)(nil)
)

// Config says how a store is opened.
type Config struct {
	// Path is the database file; it and its folder are made if they are not there.
	Path string
	// QueueSize is how many writes may wait; 0 means 4,096. Past it a write is answered with a
	// fault of kind Unavailable at once.
	QueueSize int
	// Readers is how many reads can go on at the same time; 0 means two a processor, at least 4.
	Readers int
	// Log is told of stored orders that can't be read; nil for nobody.
	Log *slog.Logger
	// Observe is told of each transaction that was committed: the operation, which is always "commit", how
	// many callers' writes it held, and how long it took from its begin until it was on the disk. It is
	// called by the writer when the callers have their answers, one call at a time, and must not block; nil
	// for nobody.
	Observe func(operation string, writes int, took time.Duration)
}

// Store is an open file. It is safe for concurrent use.
type Store struct {
	path        string
	lock        *flock.Flock
	writer      *conn
	readers     chan *conn
	opened      int          // readers to be closed
	commits     atomic.Int64 // counts commits, twice each: odd while some may see a commit already and others not yet
	checkpoints *checkpointer
	queue       chan *job
	owners      owners
	log         *slog.Logger
	observe     func(operation string, writes int, took time.Duration) // nil for nobody
	sorted      int                                                    // maxSorted, but for a test
	claimed     int                                                    // maxClaimBytes, but for a test
	counted     int                                                    // maxBacklogBytes, but for a test
	damage      atomic.Pointer[error]                                  // the first sign that the file is damaged; nil while there is none

	claiming  sync.Mutex // one claim at a time; guards abandoned
	abandoned abandoned

	closing sync.RWMutex // guards closed, and with it sends on queue
	closed  bool
	stopped chan struct{} // closed when reads are to end
	written chan struct{} // closed when the writer has ended
}

const (
	defaultQueueSize = 4_096

	// The writer's cache is small on purpose: SQLite walks all of it at each commit.
	writerPragmas = `
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -8192;`
	readerPragmas = `
PRAGMA busy_timeout = 5000;
PRAGMA query_only = ON;
PRAGMA cache_size = -2048;`
)

// Open opens the file, brings its schema up to date and starts the writer. The error is a fault of
// kind Unavailable that says in one line what to do: the folder can't be written, another process
// has the file, it is damaged, or it comes from a newer version.
func Open(c Config) (*Store, error) {
	folder := filepath.Dir(c.Path)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, openFault(err, "store_read_only",
			fmt.Sprintf("the data folder %s can't be made; set DATA_DIR to a folder that can be written", folder))
	}
	lock, err := acquire(c.Path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{
		path:    c.Path,
		log:     c.Log,
		observe: c.Observe,
		sorted:  maxSorted,
		claimed: maxClaimBytes,
		counted: maxBacklogBytes,
		lock:    lock,
		queue:   make(chan *job, cmp.Or(c.QueueSize, defaultQueueSize)),
		readers: make(chan *conn, cmp.Or(c.Readers, max(4, 2*runtime.GOMAXPROCS(0)))),
		stopped: make(chan struct{}),
		written: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.connect(c.Path); err != nil {
		return nil, errors.Join(err, s.release())
	}
	go s.writeLoop()
	return s, nil
}

// acquire takes the lock that keeps a second process away.
func acquire(path string) (*flock.Flock, error) {
	lock := flock.New(path, flock.SetPermissions(0o640))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, openFault(err, "store_read_only",
			fmt.Sprintf("the lock file %s can't be made; set DATA_DIR to a folder that can be written", path))
	}
	if !ok {
		holder := ""
		if pid, err := os.ReadFile(path); err == nil && len(pid) > 0 && len(pid) < 20 {
			holder = " (process " + string(pid) + ")"
		}
		return nil, fault.New(fault.Unavailable, "store_in_use", fmt.Sprintf(
			"another process%s has the orders in %s open: stop it, or use another DATA_DIR; a running service takes an import with --url",
			holder, filepath.Dir(path)))
	}
	// Who holds the lock is told for people only; not being able to say so is no reason to stop.
	_ = os.WriteFile(path, strconv.AppendInt(nil, int64(os.Getpid()), 10), 0o640) //nolint:gosec // as the lock itself
	return lock, nil
}

func (s *Store) connect(path string) error {
	const flags = sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE
	writer, err := open(path, flags, writerPragmas)
	if err != nil {
		return connectFault(path, err)
	}
	s.writer = writer
	if s.checkpoints, err = newCheckpointer(path, writer.Conn, s.lookAway); err != nil {
		return connectFault(path, err)
	}
	if err := migrate(writer.Conn, path); err != nil {
		return connectFault(path, err)
	}
	for range cap(s.readers) {
		reader, err := openReader(path)
		if err != nil {
			return connectFault(path, err)
		}
		s.readers <- reader
		s.opened++
	}
	return nil
}

func openReader(path string) (*conn, error) {
	return open(path, sqlite3.OPEN_READWRITE, readerPragmas)
}

// connectFault says what to do about a file that can't be opened.
func connectFault(path string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch {
	case isDamage(err):
		return openFault(err, "store_damaged",
			path+" is damaged or no database of this program; restore it from a backup, or set DATA_DIR to another folder")
	case errors.Is(err, sqlite3.FULL):
		return openFault(err, "store_full", "the disk that holds "+path+" is full; free space and start again")
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED):
		return openFault(err, "store_locked", path+" is locked by another program; close it and start again")
	default:
		return openFault(err, "store_unreachable",
			path+" can't be opened for writing; check the folder and its permissions, or set DATA_DIR to another")
	}
}

func openFault(err error, code, message string) error {
	return fault.Wrap(fmt.Errorf("sqlite: open: %w", err), fault.Unavailable, code, message)
}

// probeSize is how much a readiness check writes, in bytes: more than most orders.
const probeSize = 16 << 10

// Ping implements ordering.Store: it commits a change of its own, which shows whether an order could
// be written now. Once a part of the file was found damaged it says so until the store is opened anew:
// its own row lies in another part, which is no sign that the orders can be kept.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.damage.Load(); err != nil {
		return translate("ping", *err)
	}
	return s.write(ctx, false, 1, func(c *conn) error {
		return c.exec("UPDATE probe SET writes = writes + 1, filler = randomblob(?)", probeSize)
	})
}

// QueueDepth is how many writes wait for the writer right now.
func (s *Store) QueueDepth() int { return len(s.queue) }

// Close ends the store: no new work is taken, what waits is written, then the file is closed. Later
// calls do nothing.
func (s *Store) Close() error {
	s.closing.Lock()
	if s.closed {
		s.closing.Unlock()
		return nil
	}
	s.closed = true
	close(s.queue)
	s.closing.Unlock()

	<-s.written
	close(s.stopped)
	return s.release()
}

// release closes what is open; reads that go on are waited for.
func (s *Store) release() error {
	var errs []error
	for range s.opened {
		c := <-s.readers
		errs = append(errs, c.Close())
	}
	if s.checkpoints != nil {
		errs = append(errs, s.checkpoints.close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	return errors.Join(append(errs, s.lock.Unlock())...)
}
