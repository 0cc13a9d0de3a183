// Package promises asks a service for orders and changes, notes what it was promised, and counts afterwards what is left
// of it: every acknowledged order and change is there, once; what was not acknowledged is wholly there or not at all; every
// event was told, in sequence; every manifest is the order.
package promises

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"order-processing-service/test/process"
)

// Client is where requests go. Ask returns false when there is no answer, and there will be none.
type Client interface {
	Ask(tb testing.TB, q process.Request) (process.Answer, bool)
}

// Book is one writer's notes: what it asked for and what it was promised. Each order belongs to one writer, so that
// what must be true of it is known exactly.
type Book struct {
	Tally

	// Late says that what got no answer may still be under way when it is looked for, and be done after that.
	Late bool

	writer int
	count  int // of everything that was asked for, to tell it apart
	chance *rand.Rand
	orders []*promise
	// open are orders and batches that were asked for and not answered. An order's own open change lies with it.
	open []*placing
	// doubtful are orders without a key that were not there when they were looked for, but may have come later.
	doubtful []wanted
}

// Tally counts what happened.
type Tally struct{ Orders, Changes, Batches, Unanswered, DoneUnanswered int }

// Total is the sum of what was noted in books.
func Total(books []*Book) Tally {
	var n Tally
	for _, b := range books {
		n.Orders += b.Orders
		n.Changes += b.Changes
		n.Batches += b.Batches
		n.Unanswered += b.Unanswered
		n.DoneUnanswered += b.DoneUnanswered
	}
	return n
}

func (n Tally) String() string {
	return fmt.Sprintf("%d orders, %d changes and %d batches were acknowledged; %d requests got no answer and had made %d orders and changes",
		n.Orders, n.Changes, n.Batches, n.Unanswered, n.DoneUnanswered)
}

// promise is an order that the service acknowledged.
type promise struct {
	state

	id, reference string
	lines         int
	statuses      []string // every one it has had
	change        *change  // asked for and not answered
}

// state is what changes of an order.
type state struct {
	version int
	status  string
	note    string // of its metadata
}

// placing is a request for new orders: one, or a batch.
type placing struct {
	orders []wanted
	batch  bool
}

// wanted is an order that was asked for.
type wanted struct {
	reference, key string
	lines          int
}

// change is a request for a change of one order.
type change struct {
	key, body string
	after     state
}

// NewBook returns the empty book of a writer, who asks for what chance decides.
func NewBook(writer int, chance *rand.Rand) *Book { return &Book{writer: writer, chance: chance} }

func (b *Book) name(what string) string {
	b.count++
	return fmt.Sprintf("%s-%d-%d", what, b.writer, b.count)
}

// Work settles what was left open earlier, then asks for one thing after the other until there is no answer.
func (b *Book) Work(tb testing.TB, c Client) {
	tb.Helper()
	for ok := b.Settle(tb, c); ok && !tb.Failed(); {
		switch dice := b.chance.IntN(100); {
		case dice < 50 || len(b.orders) == 0:
			ok = b.place(tb, c, &placing{orders: []wanted{b.want()}})
		case dice < 55:
			batch := &placing{batch: true}
			for range 1 + b.chance.IntN(20) {
				batch.orders = append(batch.orders, b.want())
			}
			ok = b.place(tb, c, batch)
		default:
			ok = b.change(tb, c)
		}
	}
}

func (b *Book) want() wanted {
	w := wanted{reference: b.name("r"), lines: 1 + b.chance.IntN(3)}
	if b.chance.IntN(2) == 0 {
		w.key = b.name("k")
	}
	return w
}

// body is the order as it is sent.
func (w wanted) body(inBatch bool) string {
	key := ""
	if inBatch && w.key != "" {
		key = fmt.Sprintf(`"idempotency_key": %q, `, w.key)
	}
	lines := strings.Repeat(`{"sku": "TEA", "quantity": 2, "unit_price": 12.5}, `, w.lines)
	return fmt.Sprintf(`{%s"customer_id": "c-1", "reference": %q, "items": [%s]}`, key, w.reference, strings.TrimSuffix(lines, ", "))
}

// place asks for orders and notes those that are acknowledged. It reports false when there is no answer.
func (b *Book) place(tb testing.TB, c Client, p *placing) bool {
	tb.Helper()
	made, ok := b.request(tb, c, p)
	if !ok {
		b.Unanswered++
		b.open = append(b.open, p)
		return false
	}
	for i := range made {
		b.note(tb, p.orders[i], made[i])
	}
	if p.batch {
		b.Batches++
	}
	return true
}

// request sends the request and returns the orders that were made.
func (*Book) request(tb testing.TB, c Client, p *placing) ([]Order, bool) {
	tb.Helper()
	if !p.batch {
		a, ok := c.Ask(tb, process.Request{Method: http.MethodPost, Path: "/orders", Key: p.orders[0].key, Body: p.orders[0].body(false)})
		if !ok {
			return nil, false
		}
		if a.Status != http.StatusCreated {
			tb.Errorf("POST /orders: status %d\n%s", a.Status, a.Body)
		}
		return []Order{parseOrder(tb, a.Body)}, true
	}
	bodies := make([]string, len(p.orders))
	for i, w := range p.orders {
		bodies[i] = w.body(true)
	}
	a, ok := c.Ask(tb, process.Request{Method: http.MethodPost, Path: "/orders/batch", Body: `{"orders": [` + strings.Join(bodies, ", ") + `]}`})
	if !ok {
		return nil, false
	}
	var answer struct {
		Results []struct {
			Status int   `json:"status"`
			Order  Order `json:"order"`
		} `json:"results"`
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil || a.Status != http.StatusOK || len(answer.Results) != len(p.orders) {
		tb.Errorf("POST /orders/batch: status %d, %v\n%s", a.Status, err, a.Body)
		return nil, true
	}
	orders := make([]Order, len(answer.Results))
	for i, r := range answer.Results {
		if orders[i] = r.Order; r.Status != http.StatusCreated {
			tb.Errorf("order %d of a batch: status %d\n%s", i, r.Status, a.Body)
		}
	}
	return orders, true
}

// note takes an acknowledged order into the book.
func (b *Book) note(tb testing.TB, w wanted, o Order) {
	tb.Helper()
	if o.Reference != w.reference || len(o.Items) != w.lines || o.state() != (state{version: 1, status: "PENDING"}) {
		tb.Errorf("the order %s was answered with %+v", w.reference, o)
	}
	b.Orders++
	b.orders = append(b.orders, &promise{id: o.ID, reference: w.reference, lines: w.lines, state: o.state(), statuses: []string{"PENDING"}})
}

// change moves an order on, or sets its note.
func (b *Book) change(tb testing.TB, c Client) bool {
	tb.Helper()
	p := b.orders[b.chance.IntN(len(b.orders))]
	after := p.state
	after.version++
	ways := map[string][]string{
		"PENDING": {"PAID", "PAID", "CANCELED"}, "PAID": {"SHIPPED", "SHIPPED", "CANCELED"}, "SHIPPED": {"DELIVERED"},
	}[p.status]
	ch := &change{}
	if len(ways) > 0 && b.chance.IntN(3) > 0 {
		after.status = ways[b.chance.IntN(len(ways))]
		ch.body = fmt.Sprintf(`{"status": %q}`, after.status)
	} else {
		after.note = b.name("n")
		ch.body = fmt.Sprintf(`{"metadata": {"note": %q}}`, after.note)
	}
	ch.after = after
	if b.chance.IntN(2) == 0 {
		ch.key = b.name("k")
	}
	p.change = ch
	if b.send(tb, c, p, false, true) {
		return true
	}
	b.Unanswered++
	return false
}

// send asks for an order's open change, which is done already or not, as far as that is sure, and notes that it was made.
func (b *Book) send(tb testing.TB, c Client, p *promise, done, sure bool) bool {
	tb.Helper()
	a, ok := c.Ask(tb, process.Request{Method: http.MethodPatch, Path: "/orders/" + p.id, Key: p.change.key, Body: p.change.body})
	if !ok {
		return false
	}
	if a.Status != http.StatusOK {
		tb.Errorf("PATCH %s with %s: status %d\n%s", p.id, p.change.body, a.Status, a.Body)
	}
	if a.Replayed != done && (sure || done) {
		tb.Errorf("PATCH %s with %s under the key %s: done already is %t, replayed %t", p.id, p.change.body, p.change.key, done, a.Replayed)
	}
	if a.Replayed {
		b.DoneUnanswered++
	}
	b.changed(tb, p, parseOrder(tb, a.Body))
	return true
}

// changed notes that an order's open change was made.
func (b *Book) changed(tb testing.TB, p *promise, o Order) {
	tb.Helper()
	if o.state() != p.change.after {
		tb.Errorf("order %s is %+v after %s, not %+v", p.id, o.state(), p.change.body, p.change.after)
	}
	if p.change.after.status != p.status {
		p.statuses = append(p.statuses, p.change.after.status)
	}
	p.state, p.change = p.change.after, nil
	b.Changes++
}

// Settle finds out what became of what was not answered. What has a key is sent again; the rest is looked for, and is
// wholly there or not at all. It reports false when there is no answer before that is done.
func (b *Book) Settle(tb testing.TB, c Client) bool {
	tb.Helper()
	for len(b.open) > 0 {
		if !b.settlePlacing(tb, c, b.open[0]) {
			return false
		}
		b.open = b.open[1:]
	}
	for _, p := range b.orders {
		if p.change != nil && !b.settleChange(tb, c, p) {
			return false
		}
	}
	return true
}

func (b *Book) settlePlacing(tb testing.TB, c Client, p *placing) bool {
	tb.Helper()
	for len(p.orders) > 0 {
		w := p.orders[0]
		found, ok := b.find(tb, c, w.reference)
		if !ok {
			return false
		}
		if found != nil {
			b.DoneUnanswered++
		}
		if w.key != "" {
			again := &placing{orders: []wanted{w}}
			made, ok := b.request(tb, c, again)
			if !ok {
				return false
			}
			if found != nil && made[0].ID != found.ID {
				tb.Errorf("order %s was there as %s, and its key made %s", w.reference, found.ID, made[0].ID)
			}
			found = &made[0]
		}
		if found != nil {
			b.note(tb, w, *found)
		} else if b.Late {
			b.doubtful = append(b.doubtful, w)
		}
		p.orders = p.orders[1:] // a batch need not be there as a whole: each order is on its own
	}
	return true
}

// find looks for an order by its reference.
func (*Book) find(tb testing.TB, c Client, reference string) (*Order, bool) {
	tb.Helper()
	a, ok := c.Ask(tb, process.Request{Method: http.MethodGet, Path: "/orders?reference=" + url.QueryEscape(reference)})
	if !ok {
		return nil, false
	}
	var page struct {
		Orders []Order `json:"orders"`
	}
	if err := json.Unmarshal(a.Body, &page); err != nil || len(page.Orders) > 1 {
		tb.Errorf("reference %s: %v, orders %s", reference, err, a.Body)
	}
	if len(page.Orders) == 0 {
		return nil, true
	}
	return &page.Orders[0], true
}

func (b *Book) settleChange(tb testing.TB, c Client, p *promise) bool {
	tb.Helper()
	a, ok := c.Ask(tb, process.Request{Method: http.MethodGet, Path: "/orders/" + p.id})
	if !ok {
		return false
	}
	o := parseOrder(tb, a.Body)
	possible := []state{p.state, p.change.after}
	done := slices.Index(possible, o.state())
	if done < 0 {
		tb.Errorf("order %s is %+v, and can only be one of %+v", p.id, o.state(), possible)
	}
	switch {
	case p.change.key != "":
		return b.send(tb, c, p, done == 1, !b.Late)
	case done == 1:
		b.DoneUnanswered++
		b.changed(tb, p, o)
	case b.Late:
		return b.fence(tb, c, p)
	default:
		p.change = nil
	}
	return true
}

// fence asks again for an open change without a key, of the version that it was meant for: it is then made once, now or
// while it was under way.
func (b *Book) fence(tb testing.TB, c Client, p *promise) bool {
	tb.Helper()
	a, ok := c.Ask(tb, process.Request{
		Method: http.MethodPatch, Path: "/orders/" + p.id, IfMatch: fmt.Sprintf("%q", strconv.Itoa(p.version)), Body: p.change.body,
	})
	switch {
	case !ok:
		return false
	case a.Status == http.StatusPreconditionFailed:
		return b.settleChange(tb, c, p)
	case a.Status != http.StatusOK:
		tb.Errorf("PATCH %s with %s: status %d\n%s", p.id, p.change.body, a.Status, a.Body)
		return true
	}
	b.changed(tb, p, parseOrder(tb, a.Body))
	return true
}
