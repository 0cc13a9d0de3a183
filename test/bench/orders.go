package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// orderID is an order's id as it stands in a path.
type orderID [24]byte

// ordersPerCustomer is how many orders a customer has in a filled store of any size, so that a page of one customer's
// orders is as long in each.
const ordersPerCustomer = 20

// Sizes of what is sent.
const (
	batchSize   = 1_000
	fillers     = 4      // connections that fill a store
	poolSize    = 16_384 // different orders that are posted in turn
	poolBuyers  = 50_000 // customers that they are of
	poolNumbers = 100_000_000
)

// customer and reference are those of the n-th order of a filled store.
func customer(n, count int) string { return fmt.Sprintf("C-%07d", n%customers(count)) }
func reference(n int) string       { return fmt.Sprintf("R-%09d", n) }

// customers is how many there are in a store of count orders.
func customers(count int) int { return max(1, count/ordersPerCustomer) }

// appendOrder appends an order of three lines as it is posted.
func appendOrder(b []byte, n int, customer, reference string) []byte {
	return appendLines(b, n, 3, customer, reference)
}

// appendLines appends an order of some lines.
func appendLines(b []byte, n, lines int, customer, reference string) []byte {
	b = fmt.Appendf(b, `{"customer_id":%q,"reference":%q,"items":[`, customer, reference)
	for line := range lines {
		if line > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"sku":"SKU-%05d","quantity":%d,"unit_price":%d.%02d}`, (n*7+line*131)%10_000, 1+(n+line)%9, 1+n%40, n%100)
	}
	return append(b, `]}`...)
}

// postScripts posts different orders in turn; every connection begins at another one.
func postScripts() func(conn int) script {
	pool := make([][]byte, poolSize)
	random := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same orders in each run
	for i := range pool {
		buyer := fmt.Sprintf("C-%07d", random.IntN(poolBuyers))
		pool[i] = newRequest("POST", "/orders", string(appendOrder(nil, i, buyer, reference(poolNumbers+i))))
	}
	return func(conn int) script {
		i := conn * 61
		return func() []byte {
			i++
			return pool[i%len(pool)]
		}
	}
}

// getScripts reads orders at random.
func getScripts(ids []orderID) func(conn int) script {
	return func(conn int) script {
		request := newRequest("GET", "/orders/"+string(make([]byte, len(orderID{}))), "")
		place := request[len("GET /orders/"):]
		random := rand.New(rand.NewPCG(2, uint64(conn))) //nolint:gosec // the same orders in each run
		return func() []byte {
			copy(place, ids[random.IntN(len(ids))][:])
			return request
		}
	}
}

// metadataScripts changes orders at random, to a value that was never there before.
func metadataScripts(ids []orderID) func(conn int) script {
	const digits = 10
	var serial atomic.Int64
	return func(conn int) script {
		request := newRequest("PATCH", "/orders/"+string(make([]byte, len(orderID{}))), `{"metadata":{"note":"0000000000"}}`)
		place := request[len("PATCH /orders/"):]
		value := request[len(request)-digits-len(`"}}`):]
		random := rand.New(rand.NewPCG(3, uint64(conn))) //nolint:gosec // the same orders in each run
		return func() []byte {
			copy(place, ids[random.IntN(len(ids))][:])
			copy(value, fmt.Sprintf("%0*d", digits, serial.Add(1)))
			return request
		}
	}
}

// statusScripts moves the orders on, all to the first status, then all to the next: every request is a change. ids are in
// no order. They end when there is no status left.
func statusScripts(ids []orderID) func(conn int) script {
	statuses := []string{"PAID", "SHIPPED", "DELIVERED"}
	var serial atomic.Int64
	return func(int) script {
		requests := make([][]byte, len(statuses))
		for i, status := range statuses {
			requests[i] = newRequest("PATCH", "/orders/"+string(make([]byte, len(orderID{}))), `{"status":"`+status+`"}`)
		}
		return func() []byte {
			n := int(serial.Add(1)) - 1
			if n/len(ids) >= len(statuses) {
				return nil
			}
			request := requests[n/len(ids)]
			copy(request[len("PATCH /orders/"):], ids[n%len(ids)][:])
			return request
		}
	}
}

// fill places count orders in batches on several connections, and returns their ids in no order and how long it took.
// customer and reference say of whom they are.
func (b *bench) fill(ctx context.Context, c *child, count int) (_ []orderID, took time.Duration, _ error) {
	started := time.Now()
	var (
		group  sync.WaitGroup
		next   atomic.Int64
		failed = make([]error, fillers)
		placed = make([][]orderID, fillers)
	)
	for i := range fillers {
		group.Go(func() { placed[i], failed[i] = b.fillSome(ctx, c.addr, count, &next) })
	}
	group.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, 0, fmt.Errorf("fill the store: %w", first(err))
	}
	took = time.Since(started)
	ids := make([]orderID, 0, count)
	for _, some := range placed {
		ids = append(ids, some...)
	}
	rand.New(rand.NewPCG(4, 4)).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] }) //nolint:gosec // any order does
	b.sayf("%s orders placed in batches of %s in %s: %s", grouped(count), grouped(batchSize), took.Round(time.Millisecond),
		perSecond(float64(count)/took.Seconds()))
	return ids, took, nil
}

// fillSome takes batches from next, the number of the first order that nobody has taken, until count are taken.
func (*bench) fillSome(ctx context.Context, addr string, count int, next *atomic.Int64) ([]orderID, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var ids []orderID
	var body []byte
	for ctx.Err() == nil {
		end := int(next.Add(batchSize))
		from, to := end-batchSize, min(end, count)
		if from >= to {
			return ids, nil
		}
		body = append(body[:0], `{"orders":[`...)
		for n := from; n < to; n++ {
			if n > from {
				body = append(body, ',')
			}
			body = appendOrder(body, n, customer(n, count), reference(n))
		}
		body = append(body, `]}`...)
		if err := c.giveUpAt(time.Now().Add(askTimeout)); err != nil {
			return nil, err
		}
		status, answer, err := c.do(newRequest("POST", "/orders/batch", string(body)))
		if err != nil {
			return nil, err
		}
		if err := checkStatus(status, 200, answer); err != nil {
			return nil, err
		}
		known := len(ids)
		if ids = appendIDs(ids, answer); len(ids)-known != to-from {
			return nil, fmt.Errorf("%d of %d orders of a batch were accepted: %.300s", len(ids)-known, to-from, answer)
		}
	}
	return nil, ctx.Err()
}

// appendIDs appends the ids of the orders that the answer to a batch holds.
func appendIDs(ids []orderID, answer []byte) []orderID {
	before := []byte(`"order":{"id":"`)
	for {
		i := bytes.Index(answer, before)
		if i < 0 || len(answer) < i+len(before)+len(orderID{}) {
			return ids
		}
		answer = answer[i+len(before):]
		ids = append(ids, orderID(answer[:len(orderID{})]))
	}
}
