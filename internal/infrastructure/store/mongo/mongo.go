// Package mongo keeps orders in a MongoDB collection that any number of processes share: one document
// an order, found by _id and changed only by updates that name the revision they were made from. It
// needs no transaction, no lock document and no second unique index, so that a standalone server, a
// replica set, a cluster sharded by hashed _id and services that speak the same protocol all do.
package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/money"
)

var (
	_ ordering.Store      = (*Store)(nil)
	_ delivery.Store      = (*Store)(nil)
	_ copying.Source      = (*Store)(nil)
	_ copying.Destination = (*Store)(nil)
)

// Collection is where orders are kept, as the FastAPI service named it.
const Collection = "orders"

// Config says which server and database to use.
type Config struct {
	// Client says where the server is and who signs in; see Server. The store sets its own concerns,
	// timeouts and preferences.
	Client *options.ClientOptions
	// Database is the name of the database; "" means orders_db.
	Database string
	// Timeout bounds every call, however many tries it takes; 0 means 10 seconds.
	Timeout time.Duration
	// KeepIndexes leaves the indexes to somebody else: see Indexes.
	KeepIndexes bool
	// Renew says where the server is and who signs in as that is known now: it is asked when a sign-in is refused, at most
	// every two seconds, and by Store.Renew. nil if that never changes. The name of the database stays.
	Renew func(ctx context.Context) (Server, error)
	// Server is what Client was made from. Only Renew needs it, to tell whether something has changed.
	Server Server
	// MustBeThere makes a server that is away an error of Open.
	MustBeThere bool
	// DefaultCurrency is that of orders that the FastAPI service kept, which name none. The zero value
	// means USD.
	DefaultCurrency money.Currency
	// Log is told of trouble in the background and of orders that can't be read; nil for nobody.
	Log *slog.Logger
	// Observe is told of each call that wrote: the operation, "insert" or "update", how many documents went
	// together in it, and how long it took until the server had answered. An update that came too late to
	// change its document counts as well. It is called by many at the same time, and must not block; nil
	// for nobody.
	Observe func(operation string, writes int, took time.Duration)
}

// Store is a client of one collection. It is safe for concurrent use.
type Store struct {
	link     atomic.Pointer[link] // the current one
	renewals renewals
	database string
	timeout  time.Duration
	currency money.Currency
	log      *slog.Logger
	observe  func(operation string, writes int, took time.Duration) // nil for nobody
	locks    locks
	clock    clock
	reads    *gatherer[*wanted]
	inserts  *gatherer[*insertion]
	legacy   noted       // documents of the FastAPI service that were spoken of already
	tooOld   atomic.Bool // the server is

	closing sync.RWMutex // guards closed
	closed  bool
	calls   sync.WaitGroup // under way
	workers sync.WaitGroup // in the background

	background    context.Context //nolint:containedctx // it ends with the store, and with it what no caller waits for
	endBackground context.CancelFunc
}

const defaultTimeout = 10 * time.Second

// Open returns a store. A server that is away is no error, unless it must be there: the store works as
// soon as there is one, and answers with faults of kind Unavailable until then. What waiting can't mend is an error that
// says in one line what to do: a refused sign-in, a missing right, a server too old.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{
		timeout:  cmp.Or(c.Timeout, defaultTimeout),
		currency: c.DefaultCurrency,
		log:      c.Log,
		observe:  c.Observe,
		database: cmp.Or(c.Database, "orders_db"),
	}
	s.renewals.ask = c.Renew
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.currency.IsZero() {
		var err error
		if s.currency, err = money.CurrencyOf("USD"); err != nil {
			return nil, err
		}
	}
	first, err := s.connect(c.Client, c.Server)
	if err != nil {
		return nil, err
	}
	s.link.Store(first)
	s.background, s.endBackground = context.WithCancel(context.WithoutCancel(ctx))
	s.reads, s.inserts = newGatherer(&s.workers, s.findGathered), newGatherer(&s.workers, s.insertGathered)
	there, err := s.check(ctx, c.MustBeThere)
	if err != nil {
		return nil, errors.Join(err, s.Close()) //nolint:contextcheck // it is closed also when ctx has ended
	}
	s.workers.Go(func() { s.keepClock(s.background) })
	if !c.KeepIndexes && (!there || !s.indexNew(ctx)) {
		s.workers.Go(func() { s.keepIndexes(s.background) })
	}
	return s, nil
}

// options are what the promises of the store rest on: an answered write is on the disks of a majority,
// and what decides is read from where that is known.
func (s *Store) options() *options.ClientOptions {
	journal := true
	return options.Client().
		SetAppName("order-processing-service").
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journal}).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()).
		SetRetryWrites(false). // see exclusively: a driver that retries tells of the last try alone
		SetRetryReads(true).
		SetServerSelectionTimeout(s.timeout).
		SetConnectTimeout(s.timeout).
		SetHeartbeatInterval(heartbeat).
		SetServerMonitor(s.watchVersion()).
		SetBSONOptions(&options.BSONOptions{UseJSONStructTags: true})
}

// heartbeat is how often the driver looks at each server. It bounds how long a server that is back
// stays unnoticed.
const heartbeat = time.Second

// firstLook is how long a start waits for a server that may be away.
const firstLook = 2 * time.Second

// check reports whether the server is there. The error is one that waiting can't mend, or shall not.
func (s *Store) check(ctx context.Context, mustBeThere bool) (there bool, err error) {
	look := min(firstLook, s.timeout)
	if mustBeThere {
		look = s.timeout
	}
	if err = s.ping(ctx, look); err == nil {
		err = s.setClock(ctx)
	}
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case isFatal(err), mustBeThere, fault.KindOf(err) != fault.Unavailable:
		return false, atStart(err)
	}
	s.log.WarnContext(ctx, "MongoDB can't be reached; orders are answered 503 until it can", "error", err)
	return false, nil
}

// Ping implements ordering.Store: it has the primary carry out an update with the concern of every
// other, of an order that there is not.
func (s *Store) Ping(ctx context.Context) error { return s.ping(ctx, s.timeout) }

// ping is Ping that ends sooner.
func (s *Store) ping(ctx context.Context, within time.Duration) error {
	return s.do(ctx, "ping", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		return s.onOrders(ctx, func(orders *mongo.Collection) error {
			_, err := orders.UpdateOne(ctx, bson.D{{Key: "_id", Value: bson.ObjectID{}}}, bson.D{{Key: "$set", Value: bson.D{{Key: "form", Value: 1}}}})
			return err
		})
	})
}

// do makes a call of the driver within the store's bound, and answers with a fault that a caller may see.
func (s *Store) do(ctx context.Context, op string, call func(context.Context) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.calls.Done()
	ours := time.Now().Add(s.timeout)
	bounded, cancel := context.WithDeadline(ctx, ours)
	defer cancel()
	err := call(bounded)
	if theirs, ok := ctx.Deadline(); ok && theirs.Before(ours) && mongo.IsTimeout(err) {
		<-ctx.Done() // the driver gives up a little before, when there is no time left for an answer
	}
	if err != nil && s.tooOld.Load() {
		return fault.Wrap(fmt.Errorf("mongo: %s: %w", op, err), fault.Unavailable, codeTooOld,
			"orders can't be kept or read right now: MongoDB is older than version 4.4")
	}
	return translate(ctx, op, err)
}

// enter begins a call, unless the store is closed.
func (s *Store) enter() error {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return errClosed
	}
	s.calls.Add(1)
	return nil
}

// QueueDepth is how many calls of Create wait right now to be sent together.
func (s *Store) QueueDepth() int { return len(s.inserts.queue) }

// Close ends the store: calls under way are waited for, later ones are refused. Later calls of Close
// do nothing.
func (s *Store) Close() error {
	s.closing.Lock()
	if s.closed {
		s.closing.Unlock()
		return nil
	}
	s.closed = true
	s.closing.Unlock()
	s.endBackground()
	s.calls.Wait() // each call is bounded by the timeout
	s.reads.end()
	s.inserts.end()
	s.workers.Wait()
	return s.disconnect(context.Background(), s.link.Load())
}
