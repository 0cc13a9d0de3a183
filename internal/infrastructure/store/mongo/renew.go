package mongo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// renewPause is how long after a look for other credentials a refused sign-in has them looked for again. It bounds how often
// is asked, however many calls are refused.
const renewPause = 2 * time.Second

// lookTimeout bounds a look for other credentials. A call that waits for one does so for no longer than it may take itself.
const lookTimeout = 20 * time.Second

// renewals lets one look for other credentials go on at a time.
type renewals struct {
	ask func(ctx context.Context) (Server, error) // nil if nobody knows of others

	mu    sync.Mutex
	look  *look     // under way, or nil; guarded by mu
	ended time.Time // when the last one did; guarded by mu
	told  string    // the trouble that was logged; of the look under way
}

// look is a look for other credentials. Its error is there when done is closed.
type look struct {
	done chan struct{}
	err  error
}

// Renew asks Config.Renew where MongoDB is and who signs in, and takes that for all later calls if it is something else and
// the sign-in succeeds. Calls under way end as they began. When it fails, the store goes on with what it had. It does nothing
// if there is no Config.Renew. An error that is the same as that of the time before was logged then.
func (s *Store) Renew(ctx context.Context) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.calls.Done()
	if s.renewals.ask == nil {
		return nil
	}
	l := s.lookAgain(0) //nolint:contextcheck // a look is for all who wait for it
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renewed reports whether the store has another link than the one whose sign-in was refused. It waits for a look for other
// credentials, as long as ctx lasts. There must be somebody to ask.
func (s *Store) renewed(ctx context.Context, refused *link) bool {
	if s.link.Load() == refused {
		if l := s.lookAgain(renewPause); l != nil { //nolint:contextcheck // as in Renew
			select {
			case <-l.done:
			case <-ctx.Done():
				return false
			}
		}
	}
	// Also when there was nothing to wait for: a look may have ended since the link was compared.
	return s.link.Load() != refused
}

// lookAgain returns the look under way, or begins one unless the last one ended within the pause; then it returns nil.
func (s *Store) lookAgain(pause time.Duration) *look {
	r := &s.renewals
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.look != nil {
		return r.look
	}
	if pause > 0 && time.Since(r.ended) < pause {
		return nil
	}
	l := &look{done: make(chan struct{})}
	r.look = l
	// It is for all callers, so it outlasts the one that began it.
	s.workers.Go(func() {
		l.err = s.lookForCredentials()
		r.mu.Lock()
		r.look, r.ended = nil, time.Now()
		r.mu.Unlock()
		close(l.done)
	})
	return l
}

// lookForCredentials is one look, with what it has to say.
func (s *Store) lookForCredentials() error {
	ctx, cancel := context.WithTimeout(s.background, lookTimeout)
	defer cancel()
	changed, err := s.relink(ctx)
	if s.background.Err() != nil {
		return errClosed
	}
	switch r := &s.renewals; {
	case err != nil && err.Error() != r.told:
		r.told = err.Error()
		s.log.WarnContext(ctx, "credentials of MongoDB are not renewed; those in use stay", "error", err)
	case err == nil:
		r.told = ""
		if changed {
			s.log.InfoContext(ctx, "credentials of MongoDB are renewed")
		}
	}
	return err
}

// relink makes a link with what Config.Renew says now, if that is something else, and has it replace the current one if
// MongoDB lets it in.
func (s *Store) relink(ctx context.Context) (changed bool, err error) {
	server, err := s.renewals.ask(ctx)
	if err != nil {
		return false, err
	}
	old := s.link.Load()
	if server == old.server {
		return false, nil
	}
	to, _, err := server.Options()
	if err != nil {
		return false, err
	}
	next, err := s.connect(to, server)
	if err != nil {
		return false, err
	}
	if err := next.client.Ping(ctx, nil); err != nil {
		err = translate(ctx, "sign in", err)
		if isFatal(err) {
			err = atStart(err)
		}
		return false, errors.Join(err, s.disconnect(ctx, next))
	}
	s.link.Store(next)
	old.release()
	s.workers.Go(func() {
		<-old.unused
		if err := s.disconnect(ctx, old); err != nil {
			s.log.DebugContext(context.WithoutCancel(ctx), "a replaced client of MongoDB does not end in good order", "error", err)
		}
	})
	return true, nil
}

// disconnect ends the client of a link that nobody uses, also when ctx has ended.
func (s *Store) disconnect(ctx context.Context, l *link) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	if err := l.client.Disconnect(ctx); err != nil {
		return fmt.Errorf("mongo: disconnect: %w", err)
	}
	return nil
}
