package crash_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// book is one writer's notes: what it asked for and what it was promised. Each order belongs to one writer, so that
// what must be true of it is known exactly.
type book struct {
	tally

	writer int
	count  int // of everything that was asked for, to tell it apart
	chance *rand.Rand
	orders []*promise
	// open are orders and batches that were asked for and not answered. An order's own open change lies with it.
	open []*placing
}

// tally counts what happened.
type tally struct{ orders, changes, batches, unanswered, doneUnanswered int }

func (n *tally) add(m tally) {
	n.orders += m.orders
	n.changes += m.changes
	n.batches += m.batches
	n.unanswered += m.unanswered
	n.doneUnanswered += m.doneUnanswered
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

func newBook(writer int, chance *rand.Rand) *book { return &book{writer: writer, chance: chance} }

func (b *book) name(what string) string {
	b.count++
	return fmt.Sprintf("%s-%d-%d", what, b.writer, b.count)
}

// work settles what an earlier child left open, then asks for one thing after the other until the child is gone.
func (b *book) work(t *testing.T, c *child) {
	t.Helper()
	for ok := b.settle(t, c); ok && !t.Failed(); {
		switch dice := b.chance.IntN(100); {
		case dice < 50 || len(b.orders) == 0:
			ok = b.place(t, c, &placing{orders: []wanted{b.want()}})
		case dice < 55:
			batch := &placing{batch: true}
			for range 1 + b.chance.IntN(20) {
				batch.orders = append(batch.orders, b.want())
			}
			ok = b.place(t, c, batch)
		default:
			ok = b.change(t, c)
		}
	}
}

func (b *book) want() wanted {
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
func (b *book) place(t *testing.T, c *child, p *placing) bool {
	t.Helper()
	made, ok := b.request(t, c, p)
	if !ok {
		b.unanswered++
		b.open = append(b.open, p)
		return false
	}
	for i := range made {
		b.note(t, p.orders[i], made[i])
	}
	if p.batch {
		b.batches++
	}
	return true
}

// request sends the request and returns the orders that were made.
func (*book) request(t *testing.T, c *child, p *placing) ([]order, bool) {
	t.Helper()
	if !p.batch {
		a, ok := c.ask(t, http.MethodPost, "/orders", p.orders[0].key, p.orders[0].body(false))
		if !ok {
			return nil, false
		}
		if a.status != http.StatusCreated {
			t.Errorf("POST /orders: status %d\n%s", a.status, a.body)
		}
		return []order{parseOrder(t, a.body)}, true
	}
	bodies := make([]string, len(p.orders))
	for i, w := range p.orders {
		bodies[i] = w.body(true)
	}
	a, ok := c.ask(t, http.MethodPost, "/orders/batch", "", `{"orders": [`+strings.Join(bodies, ", ")+`]}`)
	if !ok {
		return nil, false
	}
	var answer struct {
		Results []struct {
			Status int   `json:"status"`
			Order  order `json:"order"`
		} `json:"results"`
	}
	if err := json.Unmarshal(a.body, &answer); err != nil || a.status != http.StatusOK || len(answer.Results) != len(p.orders) {
		t.Errorf("POST /orders/batch: status %d, %v\n%s", a.status, err, a.body)
		return nil, true
	}
	orders := make([]order, len(answer.Results))
	for i, r := range answer.Results {
		if orders[i] = r.Order; r.Status != http.StatusCreated {
			t.Errorf("order %d of a batch: status %d\n%s", i, r.Status, a.body)
		}
	}
	return orders, true
}

// note takes an acknowledged order into the book.
func (b *book) note(t *testing.T, w wanted, o order) {
	t.Helper()
	if o.Reference != w.reference || len(o.Items) != w.lines || o.state() != (state{version: 1, status: "PENDING"}) {
		t.Errorf("the order %s was answered with %+v", w.reference, o)
	}
	b.tally.orders++
	b.orders = append(b.orders, &promise{id: o.ID, reference: w.reference, lines: w.lines, state: o.state(), statuses: []string{"PENDING"}})
}

// change moves an order on, or sets its note.
func (b *book) change(t *testing.T, c *child) bool {
	t.Helper()
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
	if b.send(t, c, p, false) {
		return true
	}
	b.unanswered++
	return false
}

// send asks for an order's open change, which may be done already, and notes that it was made.
func (b *book) send(t *testing.T, c *child, p *promise, done bool) bool {
	t.Helper()
	a, ok := c.ask(t, http.MethodPatch, "/orders/"+p.id, p.change.key, p.change.body)
	if !ok {
		return false
	}
	if a.status != http.StatusOK {
		t.Errorf("PATCH %s with %s: status %d\n%s", p.id, p.change.body, a.status, a.body)
	}
	if a.replayed != done {
		t.Errorf("PATCH %s with %s under the key %s: done already is %t, replayed %t", p.id, p.change.body, p.change.key, done, a.replayed)
	}
	if done {
		b.doneUnanswered++
	}
	b.changed(t, p, parseOrder(t, a.body))
	return true
}

// changed notes that an order's open change was made.
func (b *book) changed(t *testing.T, p *promise, o order) {
	t.Helper()
	if o.state() != p.change.after {
		t.Errorf("order %s is %+v after %s, not %+v", p.id, o.state(), p.change.body, p.change.after)
	}
	if p.change.after.status != p.status {
		p.statuses = append(p.statuses, p.change.after.status)
	}
	p.state, p.change = p.change.after, nil
	b.changes++
}

// settle finds out what became of what was not answered. What has a key is sent again; the rest is looked for, and is
// wholly there or not at all. It reports false when the child is gone before that is done.
func (b *book) settle(t *testing.T, c *child) bool {
	t.Helper()
	for len(b.open) > 0 {
		if !b.settlePlacing(t, c, b.open[0]) {
			return false
		}
		b.open = b.open[1:]
	}
	for _, p := range b.orders {
		if p.change != nil && !b.settleChange(t, c, p) {
			return false
		}
	}
	return true
}

func (b *book) settlePlacing(t *testing.T, c *child, p *placing) bool {
	t.Helper()
	for len(p.orders) > 0 {
		w := p.orders[0]
		found, ok := b.find(t, c, w.reference)
		if !ok {
			return false
		}
		if found != nil {
			b.doneUnanswered++
		}
		if w.key != "" {
			again := &placing{orders: []wanted{w}}
			made, ok := b.request(t, c, again)
			if !ok {
				return false
			}
			if found != nil && made[0].ID != found.ID {
				t.Errorf("order %s was there as %s, and its key made %s", w.reference, found.ID, made[0].ID)
			}
			found = &made[0]
		}
		if found != nil {
			b.note(t, w, *found)
		}
		p.orders = p.orders[1:] // a batch need not be there as a whole: each order is on its own
	}
	return true
}

// find looks for an order by its reference.
func (*book) find(t *testing.T, c *child, reference string) (*order, bool) {
	t.Helper()
	a, ok := c.ask(t, http.MethodGet, "/orders?reference="+url.QueryEscape(reference), "", "")
	if !ok {
		return nil, false
	}
	var page struct {
		Orders []order `json:"orders"`
	}
	if err := json.Unmarshal(a.body, &page); err != nil || len(page.Orders) > 1 {
		t.Errorf("reference %s: %v, orders %s", reference, err, a.body)
	}
	if len(page.Orders) == 0 {
		return nil, true
	}
	return &page.Orders[0], true
}

func (b *book) settleChange(t *testing.T, c *child, p *promise) bool {
	t.Helper()
	a, ok := c.ask(t, http.MethodGet, "/orders/"+p.id, "", "")
	if !ok {
		return false
	}
	o := parseOrder(t, a.body)
	possible := []state{p.state, p.change.after}
	done := slices.Index(possible, o.state())
	if done < 0 {
		t.Errorf("order %s is %+v, and can only be one of %+v", p.id, o.state(), possible)
	}
	switch {
	case p.change.key != "":
		return b.send(t, c, p, done == 1)
	case done == 1:
		b.doneUnanswered++
		b.changed(t, p, o)
	default:
		p.change = nil
	}
	return true
}
