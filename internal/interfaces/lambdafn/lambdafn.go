// Package lambdafn is the way in through AWS Lambda: one function that takes HTTP requests from API Gateway (REST and HTTP
// APIs), function URLs and Application Load Balancers, batches of an SQS queue, and the event of a schedule.
//
// A function is frozen as soon as it has answered, and may never go on. So nothing is left for later: what an invocation
// committed is told before its answer, as far as its time allows, and what is left is told by the scheduled sweep.
package lambdafn

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"order-processing-service/internal/application/receiving"
)

// Teller tells subscribers of what was committed. Implementations are safe for concurrent use.
type Teller interface {
	// Flush tells what this process has in hand, until ctx ends, and returns how many deliveries are left in hand.
	Flush(ctx context.Context) (left int)
	// Drain also tells what is due in the store. The error is that ctx ended before all was told, or the store's.
	Drain(ctx context.Context) (left int, err error)
}

// Receiver applies messages of other systems. Implementations are safe for concurrent use.
type Receiver interface {
	// Receive applies a message. After an error the message must come again; else it is done with.
	Receive(ctx context.Context, m receiving.Message) error
}

// DefaultConcurrency is how many messages of a batch are worked on at once where Config says nothing.
const DefaultConcurrency = 8

// Config says what the function is made of. API and Teller are needed.
type Config struct {
	// API answers HTTP requests.
	API http.Handler
	// Before is called at the beginning of each invocation, whose context it gets; nil for nothing.
	Before func(ctx context.Context)
	// After is called at the end of each invocation that was worked on, before its answer. It must not take longer than its context
	// lasts; nil for nothing.
	After func(ctx context.Context)
	// Teller is flushed before each answer and drained by the sweep.
	Teller Teller
	// Receiver gets the messages of SQS batches; nil refuses these.
	Receiver Receiver
	// Log gets a line for what goes wrong; nil for none. It must write each line at once.
	Log *slog.Logger
	// BasePath is cut from the front of each path that begins with it: the path under which a custom domain is mapped to
	// the function's API. "" for none.
	BasePath string
	// Concurrency is how many messages of a batch are worked on at once; 0 means DefaultConcurrency.
	Concurrency int
}

// Function answers invocations. It is safe for concurrent use.
type Function struct {
	Config
	working sync.RWMutex // is held for reading by each invocation
}

// New returns the function of these parts.
func New(c Config) *Function {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Concurrency = cmp.Or(c.Concurrency, DefaultConcurrency)
	if c.BasePath = strings.Trim(c.BasePath, "/"); c.BasePath != "" {
		c.BasePath = "/" + c.BasePath
	}
	return &Function{Config: c}
}

// Invoke answers one event, before the deadline of ctx if there is one. An error means that the invocation failed, which
// Lambda counts and, where nobody waits for an answer, tries again. An HTTP request is never answered with one.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	f.working.RLock()
	defer f.working.RUnlock()
	e, err := decode(payload)
	if err != nil {
		return nil, err
	}
	if f.Before != nil {
		f.Before(ctx)
	}
	if f.After != nil {
		defer f.after(ctx)
	}
	switch e.kind() {
	case restAPI, httpAPI, loadBalancer:
		return f.serve(ctx, e), nil
	case queueBatch:
		return f.receive(ctx, e.Records)
	case schedule:
		return f.sweep(ctx)
	case unknown:
	}
	return nil, EventError{"this event is none that the function takes: an HTTP request from API Gateway (REST or HTTP API), " +
		"a function URL or a load balancer; a batch of an SQS queue; or a schedule's event, whose input may be " + SweepInput +
		"; check what invokes the function"}
}

// maxAfter is how long After may take at most: an answer waits for it.
const maxAfter = time.Second

// after calls After, with half of what the invocation's time keeps for the answer.
func (f *Function) after(ctx context.Context) {
	limit := maxAfter
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	f.After(ctx)
}

// EventError is an event that the function can't take. Lambda shows its text to whoever invoked the function.
type EventError struct{ text string }

// Error implements error.
func (e EventError) Error() string { return e.text }

// What is kept of an invocation's time for what comes after: at first for telling, then for the answer itself.
const (
	reservePart = 10 // a tenth of the time that is left
	minReserve  = 50 * time.Millisecond
	maxReserve  = 500 * time.Millisecond
)

// budget is how an invocation's time is shared out.
type budget struct {
	working time.Time // until when the work may take
	telling time.Time // until when telling may take
	limited bool      // there is a deadline
}

func budgetOf(ctx context.Context) budget {
	deadline, ok := ctx.Deadline()
	if !ok {
		return budget{}
	}
	reserve := min(max(time.Until(deadline)/reservePart, minReserve), maxReserve)
	return budget{working: deadline.Add(-2 * reserve), telling: deadline.Add(-reserve), limited: true}
}

func (b budget) work(ctx context.Context) (context.Context, context.CancelFunc) {
	return b.until(ctx, b.working)
}

func (b budget) tell(ctx context.Context) (context.Context, context.CancelFunc) {
	return b.until(ctx, b.telling)
}

func (b budget) until(ctx context.Context, end time.Time) (context.Context, context.CancelFunc) {
	if !b.limited {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end)
}

// flush tells what the invocation committed, and says so if there was too little time.
func (f *Function) flush(ctx context.Context, b budget) {
	telling, cancel := b.tell(ctx)
	defer cancel()
	left := f.Teller.Flush(telling)
	if telling.Err() != nil && left > 0 {
		f.Log.WarnContext(ctx, "The invocation's time is over before everything is told; the sweep tells the rest", "left", left)
	}
}

// SweepInput is what a schedule may be given as the input of the function. Without an input of their own, schedules of
// EventBridge Scheduler and scheduled rules of EventBridge send an event that is taken as well.
const SweepInput = `{"sweep":true}`

// sweep tells what other instances left, and answers how many deliveries wait for a subscriber that is away, or were not
// told in time.
func (f *Function) sweep(ctx context.Context) ([]byte, error) {
	telling, cancel := budgetOf(ctx).tell(ctx)
	defer cancel()
	left, err := f.Teller.Drain(telling)
	late := telling.Err() != nil
	if err != nil && !late {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	f.Log.InfoContext(ctx, "swept", "left", left, "complete", !late)
	return fmt.Appendf(nil, `{"left":%d,"complete":%t}`, left, !late), nil
}
