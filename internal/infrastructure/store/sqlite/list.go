package sqlite

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

// place is where an order stands in a list.
type place struct {
	created int64
	id      order.ID
	key     int64
}

// newestFirst compares places as lists are sorted.
func newestFirst(a, b place) int {
	if a.created != b.created {
		if a.created > b.created {
			return -1
		}
		return 1
	}
	return b.id.Compare(a.id)
}

// List implements ordering.Store. Each list is read from one index, or merged from several ranges
// of one: first the places, then the orders that stand there.
func (s *Store) List(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
	var orders []*order.Order
	err := s.read(ctx, func(c *conn) (err error) {
		places, err := findPlaces(c, &q, s.sorted)
		if err != nil {
			return err
		}
		orders = make([]*order.Order, 0, len(places))
		weight := 0
		for _, p := range places {
			if q.Full(weight) {
				break
			}
			err := c.query("SELECT doc FROM orders WHERE key = ?", []any{p.key}, func(row *sqlite3.Stmt) error {
				o, err := document.DecodeOrder(p.id, row.ColumnRawText(0))
				if err != nil {
					return err
				}
				orders, weight = append(orders, o), weight+o.View().Weight()
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, translate("list", err)
	}
	return orders, nil
}

// findPlaces returns the places of the first q.Limit orders that match. At most sorted orders are sorted
// for it.
func findPlaces(c *conn, q *ordering.Query, sorted int) ([]place, error) {
	states := stateFilter{statusDigits[q.Status], paymentDigits[q.PaymentStatus], fulfillmentDigits[q.FulfillmentStatus]}
	var found []place
	collect := func(f *finder) error {
		f.window(q)
		return f.run(c, q.Limit, &found)
	}
	var err error
	switch {
	case q.Reference != "":
		f := newFinder("orders_reference", "reference = ?", q.Reference)
		if q.CustomerID != "" {
			f.and("customer_id = ?", q.CustomerID)
		}
		f.states(states)
		f.placed(q)
		err = collect(f)
	case q.CustomerID != "":
		f := newFinder("orders_customer", "customer_id = ?", q.CustomerID)
		f.states(states)
		f.placed(q)
		err = collect(f)
	default:
		var few bool
		if few, err = fewPlaced(c, q, states, sorted); err != nil {
			return nil, err
		}
		if few {
			f := newFinder("orders_placed", "placed_at >= ? AND placed_at < ?", from(q.PlacedAfter), to(q.PlacedBefore))
			f.states(states)
			err = collect(f)
			break
		}
		err = eachState(c, states, func(state int) error {
			f := newFinder("orders_state", "state = ?", state)
			f.placed(q)
			return collect(f)
		})
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, newestFirst)
	return found[:min(len(found), q.Limit)], nil
}

// maxSorted is how many orders of a range of placed_at are sorted for a page at most. It is a tenth of
// that where a state is wanted, for which each has to be looked up.
const maxSorted = 50_000

// fewPlaced reports whether so few orders were placed in the wanted time that finding them by
// placed_at and sorting them is cheap. If there are more, going through all orders from the newest on
// soon finds a page of them.
func fewPlaced(c *conn, q *ordering.Query, states stateFilter, limit int) (bool, error) {
	if q.PlacedAfter.IsZero() && q.PlacedBefore.IsZero() {
		return false, nil
	}
	if states != (stateFilter{}) {
		limit /= 10
	}
	count := 0
	err := c.query(`SELECT count(*) FROM
(SELECT 1 FROM orders INDEXED BY orders_placed WHERE placed_at >= ? AND placed_at < ? LIMIT ?)`,
		[]any{from(q.PlacedAfter), to(q.PlacedBefore), limit}, func(row *sqlite3.Stmt) error {
			count = row.ColumnInt(0)
			return nil
		})
	return count < limit, err
}

// eachState calls f for each state that is in use and matches, jumping from one to the next.
func eachState(c *conn, states stateFilter, f func(state int) error) error {
	var inUse []int
	for state, more := -1, true; more; {
		more = false
		err := c.query("SELECT state FROM orders INDEXED BY orders_state WHERE state > ? ORDER BY state LIMIT 1", []any{state},
			func(row *sqlite3.Stmt) error {
				state, more = row.ColumnInt(0), true
				if states.matches(state) {
					inUse = append(inUse, state)
				}
				return nil
			})
		if err != nil {
			return err
		}
	}
	for _, state := range inUse {
		if err := f(state); err != nil {
			return err
		}
	}
	return nil
}

// finder builds the search of one range of an index. Only conditions of its own enter the SQL text,
// so the number of different texts is small; values are bound.
type finder struct {
	sql  strings.Builder
	args []any
}

func newFinder(index, condition string, args ...any) *finder {
	f := &finder{args: args}
	f.sql.WriteString("SELECT created_at, id, key FROM orders INDEXED BY ")
	f.sql.WriteString(index)
	f.sql.WriteString(" WHERE ")
	f.sql.WriteString(condition)
	return f
}

func (f *finder) and(condition string, args ...any) {
	f.sql.WriteString(" AND ")
	f.sql.WriteString(condition)
	f.args = append(f.args, args...)
}

// states restricts to the digits wanted, where the index does not.
func (f *finder) states(want stateFilter) {
	if want.status != 0 {
		f.and("state / 100 = ?", want.status)
	}
	if want.payment != 0 {
		f.and("state / 10 % 10 = ?", want.payment)
	}
	if want.fulfillment != 0 {
		f.and("state % 10 = ?", want.fulfillment)
	}
}

// placed restricts to the dates on which the customers ordered, where the index does not.
func (f *finder) placed(q *ordering.Query) {
	if !q.PlacedAfter.IsZero() {
		f.and("placed_at >= ?", from(q.PlacedAfter))
	}
	if !q.PlacedBefore.IsZero() {
		f.and("placed_at < ?", to(q.PlacedBefore))
	}
}

// window restricts to the dates of creation and to what comes after the cursor. There is one upper
// bound only, so that the index search begins right there however deep the page.
func (f *finder) window(q *ordering.Query) {
	if !q.CreatedAfter.IsZero() {
		f.and("created_at >= ?", from(q.CreatedAfter))
	}
	created, id := to(q.CreatedBefore), []byte{}
	if at := q.After.CreatedAt.UnixMilli(); !q.After.IsZero() && at < created {
		created, id = at, q.After.ID[:]
	}
	f.and("(created_at, id) < (?, ?)", created, id)
}

func (f *finder) run(c *conn, limit int, found *[]place) error {
	f.sql.WriteString(" ORDER BY created_at DESC, id DESC LIMIT ?")
	f.args = append(f.args, limit)
	return c.query(f.sql.String(), f.args, func(row *sqlite3.Stmt) error {
		*found = append(*found, place{created: row.ColumnInt64(0), id: order.ID(row.ColumnRawBlob(1)), key: row.ColumnInt64(2)})
		return nil
	})
}

// from and to are the bounds that a time sets; the zero time sets none. Orders are kept to the
// millisecond, so a bound between two of them is the later one.
func from(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return ceilMillis(t)
}

func to(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return ceilMillis(t)
}

func ceilMillis(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}
