package storetest

import (
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// testDamage overwrites what is stored of one order: that delays this order, and no other.
func testDamage(t *testing.T, h Harness) {
	const n = 7
	// begun returns a room with n orders, each another customer's and told to mail.
	begun := func(t *testing.T) *room {
		t.Helper()
		r := newRoom(t, h)
		for i := range n {
			r.create(t, sample(t, i, func(d *order.Draft) { d.CustomerID = idOf(i).String() }), told("mail"))
		}
		return r
	}
	for name, way := range map[string]func(*room) func(order.ID){
		"an order that can't be read":   func(r *room) func(order.ID) { return r.place.Damage.Order },
		"deliveries that can't be read": func(r *room) func(order.ID) { return r.place.Damage.Tracks },
	} {
		t.Run(name+" delays no other", func(t *testing.T) {
			r := begun(t)
			damage := way(r)
			if damage == nil {
				return // declared: nothing can come between
			}
			r.damaged = true
			damage(idOf(0)) // the first that is due
			if b := r.backlog(t, 2*n, "mail")[0]; b.Waiting < n-1 || b.Waiting > n || b.More {
				t.Errorf("Backlog = %+v, want what waits of the others", b)
			}
			now := at(time.Minute)
			for range 2 {
				seen := make(map[string]int)
				for range 3 * n { // small claims must get past it
					for _, task := range r.claimUpTo(t, "me", now, 1, "mail") {
						seen[task.Order.ID().String()]++
					}
				}
				if seen[idOf(0).String()] != 0 {
					t.Errorf("the damaged order is told")
				}
				wantOnce(t, seen, n-1)
				r.wantNoClaim(t, "all is leased", now.Add(lease-time.Millisecond), "mail")
				now = now.Add(lease + time.Hour) // all leases have ended
			}
			for i := 1; i < n; i++ {
				q := ordering.Query{CustomerID: idOf(i).String(), Limit: 10}
				wantIDs(t, "List of another customer", r.list(t, q), []*order.Order{r.get(t, idOf(i))})
			}
			r.change(t, idOf(1), told("mail"), now, set("n", "1", time.Hour))
			r.create(t, sample(t, n), told("mail"))
			if err := r.Ping(t.Context()); err != nil {
				t.Errorf("Ping: %v", err)
			}
		})
	}

	t.Run("an order that can't be read is an error that names it", func(t *testing.T) {
		r := begun(t)
		if r.place.Damage.Order == nil {
			return // declared: nothing can come between
		}
		r.damaged = true
		id := idOf(3)
		r.place.Damage.Order(id)
		_, err := r.Get(t.Context(), id)
		wantDamaged(t, "Get", err, id)
		_, err = r.List(t.Context(), ordering.Query{CustomerID: id.String(), Limit: 10})
		wantDamaged(t, "List", err, id)
		_, err = r.Change(t.Context(), id, nobody(), base, set("n", "1", time.Second))
		wantDamaged(t, "Change", err, id)
	})
}

// wantDamaged checks that err is internal and names the order to the operator, not to the caller.
func wantDamaged(t *testing.T, what string, err error, id order.ID) {
	t.Helper()
	if err == nil || fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), id.String()) {
		t.Errorf("%s of a damaged order: %v, want an internal error that names %s", what, err, id)
		return
	}
	if strings.Contains(fault.Of(err).Message, id.String()) {
		t.Errorf("%s of a damaged order tells the caller: %s", what, fault.Of(err).Message)
	}
}
