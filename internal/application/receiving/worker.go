package receiving

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"order-processing-service/internal/domain/fault"
)

// Pauses of a Worker.
const (
	// FirstDelay is how long a message stays away after its first failure; it doubles with each further one, up to LongestDelay.
	FirstDelay   = time.Second
	LongestDelay = 5 * time.Minute
	// restMax is the longest pause while something is away.
	restMax = 30 * time.Second
	// readyTimeout bounds the look whether orders can be changed.
	readyTimeout = 5 * time.Second
)

// WorkerConfig says what a Worker is made of. Queue, Receive and Ready are needed.
type WorkerConfig struct {
	Queue Queue
	// Receive does what a message asks for: Service.Receive.
	Receive func(ctx context.Context, m Message) error
	// Ready answers nil if orders can be changed now. It is asked when a message found that they can't, before another one is
	// taken off the queue.
	Ready func(ctx context.Context) error
	// Log is told when the queue or the store goes away and comes back; nil for none.
	Log *slog.Logger
	// Concurrency is how many messages are in hand at the same time. Default: 10.
	Concurrency int
	// Visibility is how long a message in hand is hidden from other readers; it is extended each third of it while the work
	// goes on. Default: 30 seconds.
	Visibility time.Duration
	// Timeout bounds the work on one message. Default: 30 seconds.
	Timeout time.Duration
}

// Worker takes messages off a queue and has them applied. It never takes more than it can work on. Messages of a FIFO group
// are applied one after the other; when one must come again, those behind it in hand go back with it. Start it once.
type Worker struct {
	WorkerConfig
	slots  chan struct{} // one for each message in hand
	keeper *keeper
	queue  away // the queue itself
	parts  away // what messages need: the store of orders

	stop    context.CancelFunc // no new message is begun; nil until the start
	cut     context.CancelFunc // nor are those finished that are
	working sync.WaitGroup     // the poll, and the work that it has begun
}

// NewWorker returns a Worker.
func NewWorker(c WorkerConfig) *Worker {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Concurrency = cmp.Or(c.Concurrency, 10)
	c.Visibility = cmp.Or(c.Visibility, 30*time.Second)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	return &Worker{
		WorkerConfig: c, slots: make(chan struct{}, c.Concurrency), keeper: newKeeper(&c),
		queue: away{log: c.Log, part: "queue"},
		parts: away{log: c.Log, part: "orders"},
	}
}

// Start begins to take messages. The end of ctx does not end it: Stop does.
func (w *Worker) Start(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	open, stop := context.WithCancel(ctx)
	work, cut := context.WithCancel(ctx)
	w.stop, w.cut = stop, cut
	w.keeper.start(ctx)
	w.working.Go(func() { w.poll(open, work) })
}

// Stop takes no more messages, finishes those that are begun and gives the others back. What is not finished when three
// quarters of the time that ctx has are over is cut off, and comes again; so do those that the queue can't be told of before
// ctx ends. A Worker that was never started, or was stopped before, does nothing.
func (w *Worker) Stop(ctx context.Context) {
	if w.stop == nil {
		return
	}
	w.stop()
	patience := ctx
	if deadline, ok := ctx.Deadline(); ok {
		const kept = 4 // this part of the time is for giving back
		var done context.CancelFunc
		patience, done = context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/kept))
		defer done()
	}
	finished := context.AfterFunc(patience, w.cut)
	late := context.AfterFunc(ctx, w.keeper.cancel) // the work waits for what the keeper says
	defer late()
	w.working.Wait()
	finished()
	w.cut()
	w.keeper.stop()
}

// poll takes messages off the queue and begins the work on them, until open ends; the work goes on until its own context
// does.
func (w *Worker) poll(open, work context.Context) {
	for w.rest(open) {
		most := w.acquire(open)
		if w.parts.misses() > 0 { // one message shows whether it goes on
			w.release(most - min(most, 1))
			most = min(most, 1)
		}
		if most == 0 {
			return
		}
		messages, err := w.Queue.Receive(open, most, w.Visibility)
		w.release(most - len(messages))
		if err != nil {
			if open.Err() == nil {
				w.queue.missed(open, w.queue.misses(), err)
			}
			continue
		}
		w.queue.reached(open)
		for i := range messages {
			w.keeper.hold(messages[i].Receipt)
		}
		for _, group := range byGroup(messages) {
			w.working.Go(func() { w.work(open, work, group) })
		}
	}
}

// acquire waits for room for one message at least, and takes the room for as many as there is. It is none when the Worker
// is stopped.
func (w *Worker) acquire(open context.Context) (count int) {
	select {
	case w.slots <- struct{}{}:
		count++
	case <-open.Done():
		return 0
	}
	for count < MaxReceive {
		select {
		case w.slots <- struct{}{}:
			count++
		default:
			return count
		}
	}
	return count
}

func (w *Worker) release(count int) {
	for range count {
		<-w.slots
	}
}

// rest waits until there is a point in taking messages. It is false when the Worker is stopped.
func (w *Worker) rest(open context.Context) bool {
	for {
		misses := w.parts.misses()
		if !pause(open, max(backoff(misses, restMax), backoff(w.queue.misses(), restMax))) {
			return false
		}
		if misses == 0 {
			return true
		}
		looking, done := context.WithTimeout(open, readyTimeout)
		err := w.Ready(looking)
		done()
		if err == nil {
			return true
		}
		w.parts.missed(open, misses, err)
	}
}

// byGroup parts messages into those of each FIFO group, in their order; one without a group is alone.
func byGroup(messages []Received) [][]Received {
	var groups [][]Received
	at := make(map[string]int)
	for i := range messages {
		g := messages[i].Group
		if n, ok := at[g]; ok && g != "" {
			groups[n] = append(groups[n], messages[i])
			continue
		}
		at[g] = len(groups)
		groups = append(groups, messages[i:i+1:i+1])
	}
	return groups
}

// work does what the messages of one group ask for, one after the other.
func (w *Worker) work(open, work context.Context, group []Received) {
	defer w.release(len(group))
	for i := range group {
		again, delay := w.apply(open, work, &group[i].Message)
		if !again {
			w.keeper.delete(group[i].Receipt)
			continue
		}
		for _, m := range group[i:] {
			w.keeper.hide(m.Receipt, delay)
		}
		break
	}
	w.keeper.settle()
}

// apply does what one message asks for, and says whether it must come again, and how much later.
func (w *Worker) apply(open, work context.Context, m *Message) (again bool, delay time.Duration) {
	if open.Err() != nil {
		return true, 0
	}
	ctx, done := context.WithTimeout(work, w.Timeout)
	defer done()
	misses := w.parts.misses()
	err := w.Receive(ctx, *m)
	switch {
	case work.Err() != nil:
		return err != nil, 0
	case IsNotSetAside(err): // only the messages wait that are to be set aside
	case fault.KindOf(err) == fault.Unavailable:
		w.parts.missed(ctx, misses, err)
	case err == nil || IsEarly(err):
		w.parts.reached(ctx)
	}
	return err != nil, backoff(max(m.Receives, 1), LongestDelay)
}
