package mongo

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
)

// link is a client of the driver, which signs in as one user for as long as it lasts. It is used by whoever has acquired it;
// once the store has another one, it ends with the last of them.
type link struct {
	server Server // that it was made for; the zero value if that is not known
	client *mongo.Client
	orders *mongo.Collection
	users  atomic.Int64  // whoever uses it, and the store while it is the current one
	unused chan struct{} // closed when there is none left
	// refused is set when a sign-in was. The driver tells only one of the calls that wait for a connection why there is none.
	refused atomic.Bool
}

// connect makes a link to a server. Nobody is asked yet.
func (s *Store) connect(to *options.ClientOptions, server Server) (*link, error) {
	l := &link{server: server, unused: make(chan struct{})}
	l.users.Store(1)
	watch := &event.PoolMonitor{Event: func(e *event.PoolEvent) {
		if e.Type == event.ConnectionPoolCleared && isSignIn(e.Error) {
			l.refused.Store(true)
		}
	}}
	var err error
	if l.client, err = mongo.Connect(to, s.options(), options.Client().SetPoolMonitor(watch)); err != nil {
		return nil, connectFault(err)
	}
	l.orders = l.client.Database(s.database).Collection(Collection)
	return l, nil
}

// monitorPause is more than enough for the driver to tell its monitor why it gives out no connections: it begins to refuse
// them a little earlier.
const monitorPause = 10 * time.Millisecond

// isRefused reports whether a call has done nothing because its sign-in, or that of another call at the same time, was
// refused.
func (l *link) isRefused(ctx context.Context, err error) bool {
	if isSignIn(err) || hasCode(err, codeUnauthorized) { // a user that is gone may do nothing more
		l.refused.Store(true)
		return true
	}
	var cleared driver.RetryablePoolError
	if !errors.As(err, &cleared) {
		return false
	}
	if !l.refused.Load() {
		_ = wait(ctx, monitorPause)
	}
	return l.refused.Load()
}

// acquire reports whether the link may still be used; release it then.
func (l *link) acquire() bool {
	for {
		n := l.users.Load()
		if n == 0 {
			return false
		}
		if l.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (l *link) release() {
	if l.users.Add(-1) == 0 {
		close(l.unused)
	}
}

// use acquires the current link.
func (s *Store) use() *link {
	for {
		if l := s.link.Load(); l.acquire() {
			return l
		}
	}
}

// on makes one call of the driver. A call whose sign-in is refused has done nothing, so it is made once more if the store
// has other credentials by then.
func (s *Store) on(ctx context.Context, call func(*link) error) error {
	l := s.use()
	err := call(l)
	l.release()
	if err == nil || s.renewals.ask == nil || !l.isRefused(ctx, err) || !s.renewed(ctx, l) {
		return err
	}
	l = s.use()
	defer l.release()
	return call(l)
}

// onOrders is on for a call of the collection.
func (s *Store) onOrders(ctx context.Context, call func(*mongo.Collection) error) error {
	return s.on(ctx, func(l *link) error { return call(l.orders) })
}
