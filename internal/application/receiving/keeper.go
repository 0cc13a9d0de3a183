package receiving

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"
)

const (
	// deletions is how often a message that is done with is tried to be deleted before it is left to come again.
	deletions = 3
	// deletionPause is the pause before another try.
	deletionPause = 200 * time.Millisecond
	// keeperTimeout bounds one call of the queue.
	keeperTimeout = 10 * time.Second
)

// keeper speaks to the queue about the messages in hand. It has them stay hidden while the work goes on, and gathers what is
// to be said of those that are finished, so that one call says it of several. One goroutine does it all: nothing that it
// says of a message overtakes anything else.
type keeper struct {
	queue      Queue
	log        *slog.Logger
	visibility time.Duration
	notes      chan note
	ended      chan struct{}
	cancel     context.CancelFunc
	inHand     map[string]bool // by receipt
}

// note is what is to be said of a message, or a request to be told when that is said.
type note struct {
	kind    noteKind
	receipt string
	delay   time.Duration
	said    chan<- struct{}
}

type noteKind uint8

const (
	noteHold noteKind = iota
	noteDelete
	noteHide
	noteSettle
)

func newKeeper(c *WorkerConfig) *keeper {
	return &keeper{
		queue: c.Queue, log: c.Log, visibility: c.Visibility,
		notes: make(chan note, 4*c.Concurrency), ended: make(chan struct{}), inHand: make(map[string]bool),
	}
}

// hold keeps a message hidden until more is said of it.
func (k *keeper) hold(receipt string) { k.notes <- note{kind: noteHold, receipt: receipt} }

// delete takes a message off the queue.
func (k *keeper) delete(receipt string) { k.notes <- note{kind: noteDelete, receipt: receipt} }

// hide has a message come again after so long.
func (k *keeper) hide(receipt string, delay time.Duration) {
	k.notes <- note{kind: noteHide, receipt: receipt, delay: delay}
}

// settle waits until the queue has been told everything so far.
func (k *keeper) settle() {
	said := make(chan struct{})
	k.notes <- note{kind: noteSettle, said: said}
	<-said
}

func (k *keeper) start(ctx context.Context) {
	ctx, k.cancel = context.WithCancel(ctx)
	go k.run(ctx)
}

// stop ends the keeper when all is said, or when it is canceled. Nobody may have anything more to say.
func (k *keeper) stop() {
	select {
	case <-k.ended: // it was stopped before
	default:
		close(k.notes)
	}
	<-k.ended
	k.cancel()
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.ended)
	beat := time.NewTicker(k.visibility / 3)
	defer beat.Stop()
	for {
		select {
		case n, ok := <-k.notes:
			if !ok {
				return
			}
			k.say(ctx, k.gather(n))
		case <-beat.C:
			k.extend(ctx)
		}
	}
}

// gather is a note and all others that wait.
func (k *keeper) gather(first note) []note {
	all := []note{first}
	for {
		select {
		case n, ok := <-k.notes:
			if !ok {
				return all
			}
			all = append(all, n)
		default:
			return all
		}
	}
}

func (k *keeper) say(ctx context.Context, notes []note) {
	var done []string
	var hidden []Hidden
	for _, n := range notes {
		switch n.kind {
		case noteHold:
			k.inHand[n.receipt] = true
		case noteDelete:
			done = append(done, n.receipt)
			delete(k.inHand, n.receipt)
		case noteHide:
			hidden = append(hidden, Hidden{Receipt: n.receipt, For: n.delay})
			delete(k.inHand, n.receipt)
		case noteSettle:
		}
	}
	k.hideAll(ctx, hidden)
	k.deleteAll(ctx, done)
	for _, n := range notes {
		if n.said != nil {
			close(n.said)
		}
	}
}

// deleteAll takes messages off the queue. One that can't be is left: it comes again, and is found to be a repeat.
func (k *keeper) deleteAll(ctx context.Context, receipts []string) {
	var err error
	for try := range deletions {
		if try > 0 && !pause(ctx, deletionPause) {
			break
		}
		var left []string
		for part := range slices.Chunk(receipts, MaxReceive) {
			ctx, done := context.WithTimeout(ctx, keeperTimeout)
			for i, failed := range k.queue.Delete(ctx, part) {
				if failed != nil {
					left, err = append(left, part[i]), failed
				}
			}
			done()
		}
		if receipts = left; len(receipts) == 0 {
			return
		}
	}
	k.log.WarnContext(ctx, "Commands that are done with could not be deleted; they come again", "messages", len(receipts), "error", err)
}

// hideAll has messages come again. One of which that can't be said comes again when its visibility ends.
func (k *keeper) hideAll(ctx context.Context, messages []Hidden) {
	for part := range slices.Chunk(messages, MaxReceive) {
		ctx, done := context.WithTimeout(ctx, keeperTimeout)
		for _, err := range k.queue.Hide(ctx, part) {
			if err != nil {
				k.log.DebugContext(ctx, "A command's visibility could not be changed", "error", err)
			}
		}
		done()
	}
}

// extend keeps the messages in hand hidden.
func (k *keeper) extend(ctx context.Context) {
	held := make([]Hidden, 0, len(k.inHand))
	for _, receipt := range slices.Sorted(maps.Keys(k.inHand)) {
		held = append(held, Hidden{Receipt: receipt, For: k.visibility})
	}
	k.hideAll(ctx, held)
}
