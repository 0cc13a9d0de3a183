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
	answers := make([]ordering.Created, len(orders))
	inserts := make([]insert, len(orders))
	left := make([]int, len(orders))
	for i := range orders {
		var tracks delivery.Tracks
		n := &orders[i]
		answers[i].Leased = tracks.Changed(0, n.Order.Sequence(), n.Handover, n.Order.View().CreatedAt)
		inserts[i] = insert{newDocument(n.Order, tracks, n.Order.Events()), n, &answers[i]}
		left[i] = i
	}
	err := s.do(ctx, "create", func(ctx context.Context) error {
		return s.insert(ctx, inserts)
	})
	if err != nil {
		for i := range inserts {
			if inserts[i].answer != nil { // not settled before
				answers[i] = ordering.Created{Err: err}
			}
		}
	}
	return answers
}

// insert is an order to be inserted; its answer is nil once it is settled.
type insert struct {
	document bson.Raw
	order    *ordering.NewOrder
	answer   *ordering.Created
}

// insert inserts documents, each on its own, until each is settled.
func (s *Store) insert(ctx context.Context, all []insert) error {
	unsure := false // an earlier try may have inserted some
	for try := 0; ; try++ {
		var at []int
		var documents []any
		for i := range all {
			if all[i].answer != nil {
				at, documents = append(at, i), append(documents, all[i].document)
			}
		}
		taken, err := s.insertMany(ctx, documents)
		switch {
		case err == nil:
			return s.settleInserts(ctx, all, at, taken, unsure)
		case !isAway(err):
			return err
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

// insertMany inserts documents and returns the places of those whose id is taken.
func (s *Store) insertMany(ctx context.Context, documents []any) (taken []int, err error) {
	bounded, cancel := s.attempt(ctx)
	defer cancel()
	_, err = s.orders.InsertMany(bounded, documents, options.InsertMany().SetOrdered(false))
	bulk, ok := errors.AsType[mongo.BulkWriteException](err)
	if !ok || bulk.WriteConcernError != nil {
		return nil, err
	}
	for _, e := range bulk.WriteErrors {
		if e.Code != codeDuplicateKey {
			return nil, fmt.Errorf("document %d: %w", e.Index, e.WriteError)
		}
		taken = append(taken, e.Index)
	}
	return taken, nil
}

// settleInserts answers what was inserted, and finds out about the orders whose id was taken.
func (s *Store) settleInserts(ctx context.Context, all []insert, at, taken []int, unsure bool) error {
	if len(taken) > 0 {
		ids := make([]order.ID, len(taken))
		for i, t := range taken {
			ids[i] = all[at[t]].order.Order.ID()
		}
		found, err := s.findMany(ctx, ids, withoutEvents)
		if err != nil {
			return err
		}
		for _, t := range taken {
			s.settleTaken(&all[at[t]], found[all[at[t]].order.Order.ID()], unsure)
		}
	}
	for _, i := range at {
		all[i].answer = nil
	}
	return nil
}

// settleTaken answers an insert whose id was taken: by an order that was there before or, when an
// earlier try may have come through, by this one.
func (s *Store) settleTaken(one *insert, r *record, unsure bool) {
	if r == nil {
		*one.answer = ordering.Created{Err: fmt.Errorf("mongo: create: the order that has the id %s is not there", one.order.Order.ID())}
		return
	}
	existing, err := r.order()
	if err != nil {
		*one.answer = ordering.Created{Err: err}
		return
	}
	mine, there := one.order.Order.View(), existing.View()
	if !unsure || !there.CreatedAt.Equal(mine.CreatedAt) || there.Origin != mine.Origin {
		*one.answer = ordering.Created{Existing: existing}
		return
	}
	tracks, err := r.tracks()
	if err != nil {
		*one.answer = ordering.Created{Err: err}
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
