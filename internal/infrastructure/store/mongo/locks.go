package mongo

import (
	"context"
	"sync"

	"order-processing-service/internal/domain/order"
)

// locks let one call of this process at a time change an order. They decide nothing, the revision
// does; they save calls of one process from taking turns in losing to each other. The zero value is
// ready to use.
type locks struct {
	mu   sync.Mutex
	held map[order.ID]*lock // guarded by mu
}

type lock struct {
	turn  chan struct{} // holds a token while somebody has the lock
	users int           // who has it or waits for it
}

// acquire waits for the order's lock, as long as ctx lasts. Call release when done.
func (l *locks) acquire(ctx context.Context, id order.ID) (release func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = make(map[order.ID]*lock)
	}
	one, ok := l.held[id]
	if !ok {
		one = &lock{turn: make(chan struct{}, 1)}
		l.held[id] = one
	}
	one.users++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		one.users--
		if one.users == 0 {
			delete(l.held, id)
		}
	}
	select {
	case one.turn <- struct{}{}:
		return func() {
			<-one.turn
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
