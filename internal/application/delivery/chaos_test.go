package delivery_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
)

// Whatever a subscriber and the store do to each other for an hour, nothing is stuck afterwards: all is
// told without a gap, nobody rests, and nothing is held.
func TestNothingIsStuckAfterTrouble(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { trouble(t, rand.New(rand.NewPCG(seed, 7))) }) //nolint:gosec // to be repeated
		})
	}
}

func trouble(t *testing.T, chance *rand.Rand) {
	t.Helper()
	var mu sync.Mutex // guards chance
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return chance.IntN(n)
	}
	var over atomic.Bool
	moods := func(name string) *recorder {
		r := newRecorder(t, name)
		r.deliver = func(ctx context.Context, messages []delivery.Message) []delivery.Result {
			if over.Load() {
				return allTold(messages)
			}
			return anyWay(ctx, draw, messages)
		}
		return r
	}
	events, manifests := moods("events"), moods("manifests")
	m := memory.New()
	c := delivery.Config{
		Subscribers: []delivery.Subscriber{events, manifests}, MaxAttempts: 1_000, Workers: 1 + draw(4), Batch: 1 + draw(4),
		Queue: 4 << draw(4), QueueBytes: 2_000 << draw(6), BackoffMax: time.Minute,
	}
	p, other := newProcess(t, m, c), newProcess(t, m, c)
	var ids []order.ID
	changes := make(map[order.ID]int)
	for range 60 {
		switch draw(8) {
		case 0:
			m.SetAway(true)
			pass(time.Duration(draw(60)) * time.Second)
			m.SetAway(false)
		case 1, 2, 3:
			ids = append(ids, p.place())
		default:
			if len(ids) > 0 {
				id := ids[draw(len(ids))]
				other.note(id, time.Now().String()+strconv.Itoa(changes[id]))
				changes[id]++
			}
		}
		pass(time.Duration(draw(20_000)) * time.Millisecond)
	}
	over.Store(true)
	pass(time.Hour)
	p.toldAll()
	for _, id := range ids {
		events.wantNoGaps(id, 1+changes[id])
		manifests.wantNoGaps(id, 1+changes[id])
	}
	for _, d := range []*delivery.Dispatcher{p.dispatcher, other.dispatcher} {
		for _, s := range d.Stats() {
			if s.InHand != 0 || s.Bytes != 0 || s.Rests {
				t.Errorf("afterwards: %+v", s)
			}
		}
		if left, err := d.Drain(within(t, time.Minute)); left != 0 || err != nil {
			t.Errorf("Drain = %d, %v", left, err)
		}
	}
}

// anyWay answers a call in one of the ways in which it can go.
func anyWay(ctx context.Context, draw func(int) int, messages []delivery.Message) []delivery.Result {
	switch draw(9) {
	case 0:
		panic("a defect")
	case 1:
		return nil
	case 2:
		<-ctx.Done() // longer than there is time for
		return allFailed(messages, ctx.Err())
	case 3:
		return allFailed(messages, errors.New("refused"))
	case 4, 5:
		<-time.After(time.Duration(draw(2_000)) * time.Millisecond)
		return allFailed(messages, errOutage)
	case 6:
		results := allTold(messages)
		for i := range results {
			if draw(2) == 0 {
				results[i] = delivery.Result{Told: draw(2), Err: errOutage}
			}
		}
		return results
	default:
		<-time.After(time.Duration(draw(500)) * time.Millisecond)
		return allTold(messages)
	}
}
