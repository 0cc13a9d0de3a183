package mongo

import (
	"context"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// link is a client of the driver, which signs in as one user for as long as it lasts. It is used by whoever has acquired it;
// once the store has another one, it ends with the last of them.
type link struct {
	server Server // that it was made for; the zero value if that is not known
	client *mongo.Client
	orders *mongo.Collection
	users  atomic.Int64  // whoever uses it, and the store while it is the current one
	unused chan struct{} // closed when there is none left
}

func newLink(client *mongo.Client, database string, server Server) *link {
	l := &link{server: server, client: client, orders: client.Database(database).Collection(Collection), unused: make(chan struct{})}
	l.users.Store(1)
	return l
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
	if !isSignIn(err) || !s.renewed(ctx, l) {
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
