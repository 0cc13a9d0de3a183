package storetest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"order-processing-service/internal/domain/order"
)

func testEvents(t *testing.T, h Harness) {
	t.Run("every fact comes back", func(t *testing.T) {
		r := newRoom(t, h)
		made := goldenOrder(t, 1)
		r.create(t, made, nobody())
		want := append([]order.Event(nil), made.Events()...)
		none, some := (*string)(nil), "some \u00e9"
		for i, change := range []func(*order.Order) error{
			func(o *order.Order) error {
				return o.PatchMetadata(map[string]*string{"channel": none, "$a.b": &some, "empty": new(string)}, stamp(time.Second))
			},
			become(golden(made), time.Minute),
			moveTo(order.StatusShipped, 1, time.Hour),
			moveTo(order.StatusDelivered, 1, 2*time.Hour),
		} {
			c := r.change(t, made.ID(), nobody(), at(time.Hour), change)
			want = append(want, c.Order.Events()...)
			wantEvents(t, fmt.Sprintf("after change %d", i), r.events(t, made.ID()), want)
		}
		r.reopen(t)
		wantEvents(t, "after reopening", r.events(t, made.ID()), want)

		canceled := sample(t, 2)
		r.create(t, canceled, nobody())
		want = append([]order.Event(nil), canceled.Events()...)
		for i, status := range []order.Status{order.StatusPaid, order.StatusCanceled} {
			want = append(want, r.change(t, canceled.ID(), nobody(), at(time.Hour), moveTo(status, i, time.Hour)).Order.Events()...)
		}
		wantEvents(t, "of a refund", r.events(t, canceled.ID()), want)
	})

	t.Run("any part of them", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		r.change(t, o.ID(), nobody(), at(time.Second), setMany(3, "n", time.Second))
		r.change(t, o.ID(), nobody(), at(time.Second), moveTo(order.StatusPaid, 1, time.Second))
		all := r.events(t, o.ID())
		for after := range len(all) + 2 {
			for limit := 1; limit <= len(all)+1; limit++ {
				got, err := r.Events(t.Context(), o.ID(), after, limit)
				if err != nil {
					t.Fatal(err)
				}
				from := min(after, len(all))
				wantEvents(t, fmt.Sprintf("after %d, at most %d", after, limit), got, all[from:min(from+limit, len(all))])
			}
		}
	})

	t.Run("as many as there may be", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		left := order.MaxEvents - 1
		for part := 1; left > 0; part++ {
			n := min(left, 2_500)
			r.change(t, o.ID(), nobody(), at(time.Second), setMany(n, strconv.Itoa(part), time.Second))
			left -= n
		}
		if n := len(r.events(t, o.ID())); n != order.MaxEvents {
			t.Errorf("%d events came back, want %d", n, order.MaxEvents)
		}
		_, err := r.Change(t.Context(), o.ID(), nobody(), at(time.Second), set("one", "more", time.Second))
		if err == nil {
			t.Error("one event more than there may be was taken")
		}
		last, err := r.Events(t.Context(), o.ID(), order.MaxEvents-1, 10)
		if err != nil || len(last) != 1 || last[0].Sequence != order.MaxEvents {
			t.Errorf("the last event is %v, %v", last, err)
		}
	})
}
