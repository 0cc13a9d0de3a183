package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// Create implements ordering.Store. The primary key makes a repeat impossible, so an insert whose
// answer was lost is simply sent again: what was there the second time is then compared.
func (s *Store) Create(ctx context.Context, orders []ordering.NewOrder) []ordering.Created {
	one := &insertion{all: make([]insert, len(orders))}
	for i := range orders {
		n := &orders[i]
		var tracks delivery.Tracks
		leased := tracks.Changed(0, n.Order.Sequence(), n.Handover, n.Order.View().CreatedAt)
		one.all[i] = insert{
			document: newDocument(n.Order, tracks, n.Order.Events()), order: n.Order, answer: ordering.Created{Leased: leased},
		}
	}
	err := s.do(ctx, "create", func(ctx context.Context) error {
		if begun, err := s.inserts.ask(ctx, one, deadlineOf(ctx)); err != nil {
			return gaveUp("create", err, begun)
		}
		return one.err
	})
	answers := make([]ordering.Created, len(orders))
	for i := range answers {
		if err != nil {
			answers[i].Err = err
		} else {
			answers[i] = one.all[i].answer
			answers[i].Err = translate(ctx, "create", answers[i].Err)
		}
	}
	return answers
}

// insertion is what one call inserts.
type insertion struct {
	all []insert
	err error // of all of them
}

// insert is an order to be inserted, and what came of it.
type insert struct {
	document bson.Raw
	order    *order.Order
	answer   ordering.Created
}

// maxInsertBytes is how much is sent together, unless one call alone is more: a server takes 48 MB.
const maxInsertBytes = 16 << 20

// insertGathered inserts what several calls ask for, in as few goes as their size allows.
func (s *Store) insertGathered(ctx context.Context, batch []*insertion) {
	for len(batch) > 0 {
		var all []*insert
		size, n := 0, 0
		for ; n < len(batch) && (n == 0 || size < maxInsertBytes); n++ {
			for i := range batch[n].all {
				one := &batch[n].all[i]
				all, size = append(all, one), size+len(one.document)
			}
		}
		if err := s.insert(ctx, all); err != nil {
			for _, b := range batch[:n] {
				b.err = err
			}
		}
		batch = batch[n:]
	}
}

// insert inserts documents, each on its own, and answers them.
func (s *Store) insert(ctx context.Context, all []*insert) error {
	documents := make([]any, len(all))
	for i := range all {
		documents[i] = all[i].document
	}
	unsure := false // an earlier try may have inserted some
	for try := 0; ; try++ {
		refused, err := s.insertMany(ctx, documents)
		switch {
		case err == nil:
			s.settleInserts(ctx, all, refused, unsure)
			return nil
		case !isAway(err):
			return gaveUp("create", err, unsure)
		case !isUnsent(err):
			unsure = true
		case isUnserved(err) && !unsure:
			return err
		}
		if wait(ctx, backoff(try)) != nil {
			return gaveUp("create", err, unsure)
		}
	}
}

// insertMany inserts documents and returns those that were refused.
func (s *Store) insertMany(ctx context.Context, documents []any) (refused []mongo.BulkWriteError, err error) {
	bounded, cancel := s.attempt(ctx)
	defer cancel()
	done := s.observed(opInsert, len(documents))
	err = s.onOrders(bounded, func(orders *mongo.Collection) error {
		_, err := orders.InsertMany(bounded, documents, options.InsertMany().SetOrdered(false))
		return err
	})
	bulk, ok := errors.AsType[mongo.BulkWriteException](err)
	if !ok || bulk.WriteConcernError != nil {
		done(err)
		return nil, err
	}
	done(nil) // some ids may have been taken
	return bulk.WriteErrors, nil
}

// settleInserts answers what was refused, and finds out about the orders whose id was taken. What was
// inserted stays answered so, whatever comes of that.
func (s *Store) settleInserts(ctx context.Context, all []*insert, refused []mongo.BulkWriteError, unsure bool) {
	var taken []*insert
	var ids []order.ID
	for _, r := range refused {
		one := all[r.Index]
		if r.Code != codeDuplicateKey {
			one.answer = ordering.Created{Err: r.WriteError}
			continue
		}
		taken, ids = append(taken, one), append(ids, one.order.ID())
	}
	if len(taken) == 0 {
		return
	}
	found, err := s.findMany(ctx, ids, withoutEvents)
	for _, one := range taken {
		if err == nil {
			s.settleTaken(ctx, one, found[one.order.ID()], unsure)
		} else {
			one.answer = ordering.Created{Err: gaveUp("create", err, unsure)}
		}
	}
}

// settleTaken answers an insert whose id was taken: by an order that was there before or, when an earlier
// try may have come through, by this one.
func (s *Store) settleTaken(ctx context.Context, one *insert, r *record, unsure bool) {
	if r == nil {
		one.answer = ordering.Created{Err: fmt.Errorf("the order that has the id %s is not there", one.order.ID())}
		return
	}
	existing, err := s.order(ctx, r)
	if err != nil {
		one.answer = ordering.Created{Err: err}
		return
	}
	mine, there := one.order.View(), existing.View()
	if !unsure || !there.CreatedAt.Equal(mine.CreatedAt) || there.Origin != mine.Origin {
		one.answer = ordering.Created{Existing: existing}
		return
	}
	tracks, err := r.tracks()
	if err != nil {
		one.answer = ordering.Created{Err: err}
		return
	}
	one.answer.Leased = stillHeld(tracks, one.answer.Leased)
}

// stillHeld returns those of the leased tracks that are still leased so.
func stillHeld(now delivery.Tracks, leased []delivery.Track) []delivery.Track {
	return slices.DeleteFunc(leased, func(l delivery.Track) bool {
		return !slices.ContainsFunc(now, func(t delivery.Track) bool {
			return t.Subscriber == l.Subscriber && t.Owner == l.Owner && t.DueAt.Equal(l.DueAt.Truncate(millisecond))
		})
	})
}
