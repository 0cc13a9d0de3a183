package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"order-processing-service/internal/application/ordering"
)

// job is one caller's write. Run is called inside a transaction that may hold other jobs as well; a
// job whose run returns an error must have written nothing.
type job struct {
	run  func(*conn) error
	rows int // how many it writes, about
	err  error
	done chan struct{}
	// state makes sure that a job is either run or given up by its caller, never both.
	state atomic.Uint32
}

const (
	jobWaiting uint32 = iota
	jobTaken
	jobGivenUp
)

// A group is committed when it has so many jobs, or writes so many rows, at the latest.
const (
	maxGroup     = 512
	maxGroupRows = 2_048
)

// write submits a job and waits until it is durable. When the queue is full it answers
// ordering.ErrStoreBusy at once, unless patient. A ctx that ends while the job is still waiting gives it up; once it has been
// taken its outcome is awaited, so that the caller always learns what has become of it.
func (s *Store) write(ctx context.Context, patient bool, rows int, run func(*conn) error) error {
	j := &job{run: run, rows: rows, done: make(chan struct{})}
	if err := s.submit(ctx, patient, j); err != nil {
		return err
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		if j.state.CompareAndSwap(jobWaiting, jobGivenUp) {
			return translate("write", context.Cause(ctx))
		}
		<-j.done
		return j.err
	}
}

func (s *Store) submit(ctx context.Context, patient bool, j *job) error {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return errClosed
	}
	if !patient {
		select {
		case s.queue <- j:
			return nil
		default:
			return ordering.ErrStoreBusy
		}
	}
	select {
	case s.queue <- j:
		return nil
	case <-ctx.Done():
		return translate("write", context.Cause(ctx))
	}
}

// writeLoop commits whatever is waiting in one transaction, until the queue is closed and empty.
func (s *Store) writeLoop() {
	defer close(s.written)
	group := make([]*job, 0, maxGroup)
	for first := range s.queue {
		group = append(group[:0], first)
		rows := first.rows
	gather:
		for len(group) < maxGroup && rows < maxGroupRows {
			select {
			case j, ok := <-s.queue:
				if !ok {
					break gather
				}
				group = append(group, j)
				rows += j.rows
			default:
				break gather
			}
		}
		s.commit(group)
		clear(group)
		s.checkpoints.afterCommit()
	}
}

// commit runs the jobs in one transaction and answers each. If the transaction fails, all of them
// fail: none is written. A job is taken only when the transaction has begun: whoever waits for a file
// that another program has locked can still give up.
func (s *Store) commit(group []*job) {
	var begun time.Time
	if s.observe != nil {
		begun = time.Now()
	}
	err := s.writer.exec("BEGIN IMMEDIATE")
	taken := group[:0] // in place: nobody needs the group any more
	for _, j := range group {
		if j.state.CompareAndSwap(jobWaiting, jobTaken) {
			taken = append(taken, j)
		}
	}
	if err == nil {
		err = s.transaction(taken)
	}
	if err == nil && len(taken) > 0 && s.observe != nil {
		took, writes := time.Since(begun), len(taken)
		defer func() { s.observe("commit", writes, took) }()
	}
	if err != nil {
		// The connection must leave the transaction whatever went wrong in it; SQLite may have
		// rolled back already.
		if !s.writer.GetAutocommit() {
			if rollbackErr := s.writer.exec("ROLLBACK"); rollbackErr != nil {
				err = fmt.Errorf("%w (and the roll-back failed: %w)", err, rollbackErr)
			}
		}
		err = translate("commit", err)
	}
	for _, j := range taken {
		if err != nil {
			j.err = err
		}
		if j.err != nil {
			s.noteDamage(j.err)
		}
		close(j.done)
	}
}

func (s *Store) transaction(group []*job) error {
	for _, j := range group {
		j.err = runJob(s.writer, j)
		if j.err != nil && s.writer.GetAutocommit() {
			// Some errors (a full disk, a failed read or write) end the whole transaction.
			return j.err
		}
	}
	s.commits.Add(1)
	defer s.commits.Add(1)
	return s.writer.exec("COMMIT")
}

func runJob(c *conn, j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
	}()
	return translate("write", j.run(c))
}

// savepoint runs f so that it writes all or nothing, also if it panics. It is for jobs that write
// more than one row; a single statement is atomic by itself.
func savepoint(c *conn, f func() error) (err error) {
	if err := c.exec("SAVEPOINT job"); err != nil {
		return err
	}
	complete := false
	defer func() {
		if !complete && !c.GetAutocommit() {
			err = errors.Join(err, c.exec("ROLLBACK TO job"), c.exec("RELEASE job"))
		}
	}()
	if err := f(); err != nil {
		return err
	}
	complete = true
	return c.exec("RELEASE job")
}
