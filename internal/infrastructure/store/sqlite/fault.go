package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/domain/fault"
)

// retryAfter is how long a caller should leave a store alone that is in trouble.
const retryAfter = 5 * time.Second

var errClosed = fault.New(fault.Unavailable, "store_closed", "the service is stopping; try again in a moment")

// translate turns an error of the driver into a fault that a caller may see; the driver's own words
// are kept as the cause. Faults pass as they are.
func translate(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	cause := fmt.Errorf("sqlite: %s: %w", op, err)
	unavailable := func(code, message string) error {
		e := fault.Wrap(cause, fault.Unavailable, code, message)
		e.RetryAfter = retryAfter
		return e
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return cause
	case errors.Is(err, sqlite3.FULL):
		return unavailable("store_full", "orders can't be kept right now: the disk is full")
	case errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.PERM):
		return unavailable("store_read_only", "orders can't be kept right now: the data folder can't be written")
	case isDamage(err):
		return unavailable("store_damaged", "orders can't be kept or read right now: the data file is damaged")
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED):
		return unavailable("store_locked", "orders can't be kept right now: another program has locked the data file")
	case errors.Is(err, sqlite3.IOERR), errors.Is(err, sqlite3.CANTOPEN), errors.Is(err, sqlite3.NOMEM):
		return unavailable("store_unreachable", "orders can't be kept or read right now: the data file can't be reached")
	default:
		return cause
	}
}

// isDamage reports whether SQLite found the file itself damaged, not a single record in it.
func isDamage(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB)
}

// noteDamage remembers the first sign of a damaged file. A file does not heal, so nothing takes it back.
func (s *Store) noteDamage(err error) {
	if isDamage(err) {
		s.damage.CompareAndSwap(nil, &err)
	}
}
