package receiving_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/order"
)

// start starts a worker on the queue.
func start(t *testing.T, q *queue, receive func(context.Context, receiving.Message) error, settings ...func(*receiving.WorkerConfig)) *receiving.Worker {
	t.Helper()
	c := receiving.WorkerConfig{Queue: q, Receive: receive, Ready: func(context.Context) error { return nil }, Log: discard}
	for _, set := range settings {
		set(&c)
	}
	w := receiving.NewWorker(c)
	w.Start(t.Context())
	return w
}

// stop stops a worker within a minute.
func stop(t *testing.T, w *receiving.Worker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w.Stop(ctx)
	w.Stop(ctx) // does nothing more
}

// permutations are all orders of the numbers below n.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return all
}

// The messages of one order, each twice, in every order of them, come to the same; each is applied once.
func TestEveryOrderComesToTheSame(t *testing.T) {
	kinds := []order.ReportType{
		order.ReportPaymentFailed, order.ReportPaymentSucceeded, order.ReportShipmentDispatched, order.ReportShipmentDelivered,
	}
	all := permutations(len(kinds))
	for n, first := range all {
		second := all[(7*n+3)%len(all)]
		synctest.Test(t, func(t *testing.T) {
			s, q := newShop(t), newQueue()
			id := s.place(t)
			for _, i := range slices.Concat(first, second) {
				q.send("", command(fmt.Sprint("e-", i), kinds[i], id))
			}
			w := start(t, q, s.service.Receive, func(c *receiving.WorkerConfig) { c.Concurrency = 3 })
			time.Sleep(10 * time.Minute)
			stop(t, w)
			o := s.order(t, id)
			v := o.View()
			if o.Status() != order.StatusDelivered || len(v.Payments) != 2 || len(v.Fulfillments) != 1 || o.Version() != 5 {
				t.Errorf("%v, %v: %s, version %d, payments %+v", first, second, o.Status(), o.Version(), v.Payments)
			}
			if c := s.service.Counts(); c.Applied != len(kinds) || c.Repeated != len(kinds) || c.DeadLettered != nil || len(q.left()) > 0 {
				t.Errorf("%v, %v: counts %+v, %d left", first, second, c, len(q.left()))
			}
		})
	}
}

// With a cancellation among them, every message is applied or set aside, as the status that the order came to has it.
func TestEveryOrderWithACancellation(t *testing.T) {
	kinds := []order.ReportType{
		order.ReportPaymentSucceeded, order.ReportShipmentDispatched, order.ReportShipmentDelivered, order.ReportCancellationRequested,
	}
	for _, sequence := range permutations(len(kinds)) {
		synctest.Test(t, func(t *testing.T) {
			s, q := newShop(t), newQueue()
			id := s.place(t)
			for _, i := range sequence {
				q.send("", command(fmt.Sprint("e-", i), kinds[i], id))
			}
			w := start(t, q, s.service.Receive, func(c *receiving.WorkerConfig) { c.Concurrency = 1 })
			time.Sleep(3 * time.Hour)
			stop(t, w)
			paid := slices.Index(sequence, 0) < slices.Index(sequence, 3)
			letters := map[order.Status]int{order.StatusDelivered: 1, order.StatusCanceled: 3}[s.order(t, id).Status()]
			if s.order(t, id).Status() == order.StatusCanceled && paid {
				letters = 2
			}
			if c := s.service.Counts(); letters == 0 || len(s.letters.all) != letters || c.Applied != len(kinds)-letters || len(q.left()) > 0 {
				t.Errorf("%v: %s, counts %+v, %d left", sequence, s.order(t, id).Status(), c, len(q.left()))
			}
		})
	}
}

// A worker never has more in hand than it is told, and asks for no more.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		for range 30 {
			q.send("", nil)
		}
		var mu sync.Mutex
		now, most := 0, 0
		w := start(t, q, func(context.Context, receiving.Message) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		}, func(c *receiving.WorkerConfig) { c.Concurrency = 4 })
		time.Sleep(8 * time.Second)
		synctest.Wait()
		stop(t, w)
		if most != 4 || q.largest > 4 || len(q.left()) > 0 || q.receipts != 30 {
			t.Errorf("%d at once, %d asked for, %d left, %d receives", most, q.largest, len(q.left()), q.receipts)
		}
	})
}

// A message stays hidden while the work goes on, and what is done with is deleted though entries fail.
func TestVisibilityAndDeletions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		q.failing = map[int]bool{1: true, 3: true} // none is tried more than three times
		q.send("", nil, nil, nil)
		w := start(t, q, func(context.Context, receiving.Message) error {
			time.Sleep(3 * time.Minute)
			return nil
		}, func(c *receiving.WorkerConfig) { c.Timeout = time.Hour })
		time.Sleep(5 * time.Minute)
		stop(t, w)
		if q.receipts != 3 || len(q.left()) > 0 {
			t.Errorf("%d receives of 3 messages, %d left", q.receipts, len(q.left()))
		}
	})
}

// Messages of a FIFO group wait for the one before them; other groups go on.
func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		q.send("a", []byte("a1"), []byte("a2"), []byte("a3"))
		q.send("b", []byte("b1"), []byte("b2"))
		var mu sync.Mutex
		var seen []string
		w := start(t, q, func(_ context.Context, m receiving.Message) error {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, string(m.Body))
			if string(m.Body) == "a2" && m.Receives < 4 {
				return order.ErrNotYet
			}
			return nil
		})
		time.Sleep(time.Minute)
		stop(t, w)
		of := func(group string) []string {
			return slices.DeleteFunc(slices.Clone(seen), func(m string) bool { return !strings.HasPrefix(m, group) })
		}
		if diff := cmp.Diff([]string{"a1", "a2", "a2", "a2", "a2", "a3"}, of("a")); diff != "" {
			t.Errorf("group a (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"b1", "b2"}, of("b")); diff != "" || len(q.left()) > 0 {
			t.Errorf("group b, %d left (-want +got):\n%s", len(q.left()), diff)
		}
	})
}

// A stop finishes what is begun, gives back at once what is not, and takes nothing more.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		q.send("a", []byte("a1"), []byte("a2"))
		q.send("b", []byte("b1"))
		var mu sync.Mutex
		var begun, finished []string
		w := start(t, q, func(ctx context.Context, m receiving.Message) error {
			mu.Lock()
			begun = append(begun, string(m.Body))
			mu.Unlock()
			work := time.Second
			if string(m.Body) == "b1" {
				work = time.Hour
			}
			select {
			case <-time.After(work):
			case <-ctx.Done():
				return ctx.Err()
			}
			mu.Lock()
			finished = append(finished, string(m.Body))
			mu.Unlock()
			return nil
		}, func(c *receiving.WorkerConfig) { c.Timeout = 2 * time.Hour })
		synctest.Wait()
		q.send("c", []byte("c1")) // comes while the worker is stopped
		before := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		w.Stop(ctx)
		if took := time.Since(before); took != 15*time.Second {
			t.Errorf("the stop took %v", took)
		}
		slices.Sort(begun)
		if !slices.Equal(begun[:2], []string{"a1", "b1"}) || !slices.Contains(finished, "a1") || slices.Contains(begun, "a2") {
			t.Errorf("begun are %v, finished %v", begun, finished)
		}
		for _, m := range q.messages {
			if m.until.After(time.Now()) {
				t.Errorf("%s is hidden for another %v", m.Body, time.Until(m.until))
			}
		}
	})
}

// silent is a queue that takes notes of messages and never answers.
type silent struct{ *queue }

// Delete implements receiving.Queue.
func (silent) Delete(ctx context.Context, receipts []string) []error {
	<-ctx.Done()
	return slices.Repeat([]error{ctx.Err()}, len(receipts))
}

// Hide implements receiving.Queue.
func (silent) Hide(ctx context.Context, messages []receiving.Hidden) []error {
	<-ctx.Done()
	return slices.Repeat([]error{ctx.Err()}, len(messages))
}

// A queue that does not answer holds up no stop.
func TestStopWhileTheQueueIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		for n := range 40 {
			q.send("", []byte{byte(n)})
		}
		w := start(t, q, func(_ context.Context, m receiving.Message) error {
			if m.Body[0]%2 == 0 {
				return errors.New("disk on fire")
			}
			return nil
		}, func(c *receiving.WorkerConfig) { c.Queue = silent{q} })
		time.Sleep(time.Second)
		before := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 7500*time.Millisecond)
		defer cancel()
		w.Stop(ctx)
		if took := time.Since(before); took != 7500*time.Millisecond {
			t.Errorf("the stop took %v", took)
		}
		if len(q.left()) != 40 {
			t.Errorf("%d messages are left", len(q.left()))
		}
	})
}

// While the queue or the store is away, the worker rests, says so once, and does not use up receives.
func TestAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		var log bytes.Buffer
		var mu sync.Mutex
		store := errAway
		stored := func() error {
			mu.Lock()
			defer mu.Unlock()
			if store == nil {
				return nil
			}
			return store
		}
		for range 5 {
			q.send("", nil)
		}
		q.setAway(errAway)
		w := start(t, q, func(context.Context, receiving.Message) error { return stored() }, func(c *receiving.WorkerConfig) {
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			c.Ready = func(context.Context) error { return stored() }
		})
		time.Sleep(time.Hour)
		if looks := q.looks(); looks < 100 || looks > 130 { // twice a minute
			t.Errorf("%d looks in an hour", looks)
		}
		q.setAway(nil)
		time.Sleep(time.Hour)
		for _, m := range q.left() {
			if m.Receives > 2 { // when that was found, and by the look that was under way meanwhile
				t.Errorf("message %s was received %d times", m.ID, m.Receives)
			}
		}
		mu.Lock()
		store = nil
		mu.Unlock()
		time.Sleep(2 * time.Minute) // a look finds that, the next one takes all
		stop(t, w)
		if len(q.left()) > 0 {
			t.Errorf("%d messages are left", len(q.left()))
		}
		for text, count := range map[string]int{"level=WARN": 2, "level=INFO": 2, "part=queue": 2, "part=orders": 2} {
			if n := strings.Count(log.String(), text); n != count {
				t.Errorf("%s stands %d times, not %d, in\n%s", text, n, count, &log)
			}
		}
	})
}

// While the dead-letter queue is away, what is to be set aside comes again and again; all others are applied as ever.
func TestDeadLettersAwayHoldUpNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		var log bytes.Buffer
		s := newShop(t)
		s.letters.away = errAway
		w := start(t, q, s.service.Receive, func(c *receiving.WorkerConfig) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		q.send("", []byte("{"))
		time.Sleep(time.Hour)
		var bodies [][]byte
		for range 50 {
			bodies = append(bodies, command("", order.ReportPaymentSucceeded, s.place(t)))
		}
		q.send("", bodies...)
		time.Sleep(time.Second) // less than a pause
		c := s.service.Counts()
		if c.Applied != len(bodies) || c.Failed < 10 || c.Failed > 30 {
			t.Errorf("%+v", c)
		}
		s.letters.mu.Lock()
		s.letters.away = nil
		s.letters.mu.Unlock()
		time.Sleep(receiving.LongestDelay)
		stop(t, w)
		if codes := s.letters.codes(); len(codes) != 1 || len(q.left()) > 0 {
			t.Errorf("%d messages are left; set aside are %v", len(q.left()), codes)
		}
		if log.Len() > 0 {
			t.Errorf("the worker wrote\n%s", &log)
		}
	})
}

// An error that is not about anything being away leaves the others alone.
func TestFailureDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		q.send("", nil)
		var at []time.Duration
		begun := time.Now()
		w := start(t, q, func(context.Context, receiving.Message) error {
			at = append(at, time.Since(begun).Round(time.Second))
			return errors.New("disk on fire")
		})
		time.Sleep(20 * time.Minute)
		stop(t, w)
		var want []time.Duration
		for sum, delay := 0, 1; sum < 20*60; delay *= 2 {
			want = append(want, time.Duration(sum)*time.Second)
			sum += min(delay, 300)
		}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("tries (-want +got):\n%s", diff)
		}
	})
}
