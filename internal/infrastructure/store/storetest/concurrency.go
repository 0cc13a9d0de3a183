package storetest

import (
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

func testConcurrency(t *testing.T, h Harness) {
	t.Run("32 writers on one order, every change there once", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1, func(d *order.Draft) { d.Metadata = nil })
		r.create(t, o, told("mail"))
		const writers, changes = 32, 4
		stores := []Store{r.Store, r.second(t, h)}
		atOnce(writers, func(w int) {
			for c := range changes {
				key, value := fmt.Sprint("writer-", w), strconv.Itoa(c)
				err := persist(t, stores[w%2], o.ID(), func(o *order.Order) error {
					runtime.Gosched() // let others come in between
					return set(key, value, time.Second)(o)
				})
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
		got := r.get(t, o.ID())
		if want := 1 + writers*changes; got.Version() != want || got.Sequence() != want {
			t.Errorf("version %d and sequence %d, want %d: each change is one", got.Version(), got.Sequence(), want)
		}
		want := make(map[string]string)
		seen := make(map[string]int)
		for w := range writers {
			want[fmt.Sprint("writer-", w)] = strconv.Itoa(changes - 1)
		}
		if diff := cmp.Diff(want, got.View().Metadata); diff != "" {
			t.Errorf("the metadata differs (-want +got):\n%s", diff)
		}
		for _, e := range r.events(t, o.ID())[1:] {
			for key, value := range maps.All(e.Metadata) {
				seen[key+"="+*value]++
			}
		}
		wantOnce(t, seen, writers*changes)
	})

	t.Run("readers never see an order go back", func(t *testing.T) {
		r := newRoom(t, h)
		o := sample(t, 1)
		r.create(t, o, nobody())
		const changes = 60
		done := make(chan struct{})
		atOnce(4, func(i int) {
			if i == 0 {
				defer close(done)
				for c := range changes {
					if err := persist(t, r.Store, o.ID(), set("n", strconv.Itoa(c), time.Second)); err != nil {
						t.Errorf("writer: %v", err)
					}
				}
				return
			}
			for last := 0; ; {
				select {
				case <-done:
					return
				default:
				}
				got, err := r.Get(t.Context(), o.ID())
				if err != nil {
					t.Errorf("reader: %v", err)
					return
				}
				if got.Version() < last {
					t.Errorf("version %d came after version %d", got.Version(), last)
					return
				}
				last = got.Version()
				events, err := r.Events(t.Context(), o.ID(), 0, order.MaxEvents)
				if err != nil || len(events) < got.Sequence() {
					t.Errorf("an order with sequence %d has %d events, %v", got.Sequence(), len(events), err)
					return
				}
			}
		})
	})

	t.Run("one of many inserts of the same id", func(t *testing.T) {
		r := newRoom(t, h)
		const writers, orders = 8, 20
		inserted := make([][]bool, writers)
		stores := []Store{r.Store, r.second(t, h)}
		batches := make([][]ordering.NewOrder, writers)
		for w := range writers {
			for i := range orders {
				o := sample(t, i, func(d *order.Draft) { d.CustomerID = fmt.Sprint("writer-", w) })
				batches[w] = append(batches[w], ordering.NewOrder{Order: o, Handover: told("mail")})
			}
		}
		atOnce(writers, func(w int) {
			for _, c := range stores[w%2].Create(t.Context(), batches[w]) {
				if c.Err != nil {
					t.Errorf("writer %d: %v", w, c.Err)
				}
				inserted[w] = append(inserted[w], c.Err == nil && c.Existing == nil)
			}
		})
		for i := range orders {
			got := r.get(t, idOf(i))
			n := 0
			for w := range writers {
				if len(inserted[w]) > i && inserted[w][i] {
					n++
					wantOrder(t, "the order inserted", got, batches[w][i].Order)
				}
			}
			if n != 1 {
				t.Errorf("order %d was inserted %d times", i, n)
			}
		}
	})
}

// persist makes a change however many others change the order: a store that gives up has written
// nothing and says so.
func persist(t *testing.T, s Store, id order.ID, change func(*order.Order) error) error {
	for tries := 1; ; tries++ {
		_, err := s.Change(t.Context(), id, nobody(), at(time.Second), change)
		if err == nil || fault.KindOf(err) != fault.Unavailable || tries == 1_000 {
			return err
		}
	}
}
