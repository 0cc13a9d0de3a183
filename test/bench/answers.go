package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// Answers are looked at, because a server that answers nonsense could do that fast.

const (
	orderBegins = `{"id":"`
	pageBegins  = `{"orders":[` + orderBegins
)

// checkOrder wants an order with an id.
func checkOrder(body []byte) error {
	_, err := idAfter(body, orderBegins)
	return err
}

// checkPage wants a page with an order on it.
func checkPage(body []byte) error {
	_, err := idAfter(body, pageBegins)
	return err
}

// idAfter returns the id that follows the beginning of a body.
func idAfter(body []byte, beginning string) (id orderID, err error) {
	rest, ok := bytes.CutPrefix(body, []byte(beginning))
	if !ok || len(rest) < len(id) {
		return id, fmt.Errorf("an answer does not begin with %s and an id: %.300s", beginning, body)
	}
	copy(id[:], rest)
	if _, err := hex.Decode(make([]byte, len(id)/2), id[:]); err != nil {
		return id, fmt.Errorf("an answer has no id: %w: %.300s", err, body)
	}
	return id, nil
}

// ledger remembers the orders that a service has acknowledged. It is safe for concurrent use.
type ledger struct {
	mu  sync.Mutex
	ids []orderID
}

// enter takes note of an order that was placed.
func (l *ledger) enter(body []byte) error {
	id, err := idAfter(body, orderBegins)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids = append(l.ids, id)
	return nil
}

// lookedFor is how many acknowledged orders are read again.
const lookedFor = 1_000

// lookFor reads some of the acknowledged orders, from the first to the last: a service that loses them, or gives two the
// same id, has no speed to speak of.
func (l *ledger) lookFor(ctx context.Context, addr string) error {
	known := make(map[orderID]bool, len(l.ids))
	for _, id := range l.ids {
		if known[id] {
			return fmt.Errorf("two orders have the id %s", id[:])
		}
		known[id] = true
	}
	c, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.giveUpAt(time.Now().Add(askTimeout)); err != nil {
		return err
	}
	for i := 0; i < len(l.ids); i += 1 + len(l.ids)/lookedFor {
		id := l.ids[i]
		status, body, err := c.do(newRequest("GET", "/orders/"+string(id[:]), ""))
		if err != nil {
			return err
		}
		if err := checkStatus(status, 200, body); err != nil {
			return fmt.Errorf("look for an acknowledged order: %w", err)
		}
		if found, err := idAfter(body, orderBegins); err != nil || found != id {
			return fmt.Errorf("look for the acknowledged order %s: %.300s", id[:], body)
		}
	}
	return nil
}
