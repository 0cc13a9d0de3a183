package mongo

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// Next implements delivery.Store.
func (s *Store) Next(ctx context.Context, id order.ID, subscriber string) (delivery.Task, error) {
	var next delivery.Task
	err := s.do(ctx, "next", func(ctx context.Context) error {
		r, err := s.find(ctx, id, withoutEvents)
		if err != nil {
			return err
		}
		tracks, err := r.tracks()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(tracks, func(t delivery.Track) bool { return t.Subscriber == subscriber })
		if i < 0 {
			return nil
		}
		next = delivery.Task{Subscriber: subscriber, Attempts: tracks[i].Attempts}
		if next.Order, err = s.order(ctx, &r); err != nil {
			return err
		}
		next.Events, err = s.toTell(ctx, &r, tracks[i].Told)
		return err
	})
	return next, err
}

// Settle implements delivery.Store. Settlements of one order are written together. To settle the same
// twice gives the same, so a write whose answer was lost is worked out anew.
func (s *Store) Settle(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
	answers := make([]delivery.Settled, len(settlements))
	places := make(map[order.ID][]int, len(settlements)) // where each order's settlements are
	for i := range settlements {
		places[settlements[i].Order] = append(places[settlements[i].Order], i)
	}
	err := s.do(ctx, "settle", func(ctx context.Context) error {
		for try := 0; len(places) > 0; try++ {
			if try > 0 {
				if try == maxConflicts {
					return errContended
				}
				if err := wait(ctx, backoff(min(try, 4))); err != nil {
					return err
				}
			}
			if err := s.settle(ctx, places, settlements, answers); err != nil {
				return err
			}
		}
		return nil
	})
	return answers, err
}

// settle settles what it can at once, and takes the orders that are done out of places.
func (s *Store) settle(ctx context.Context, places map[order.ID][]int, settlements []delivery.Settlement, answers []delivery.Settled) error {
	ids := make([]order.ID, 0, len(places))
	for id := range places {
		ids = append(ids, id)
	}
	found, err := s.findMany(ctx, ids, onlyTracks)
	if err != nil {
		return err
	}
	var writes []tracksWrite
	for _, id := range ids {
		r, ok := found[id]
		if !ok { // no such order, and nothing to write
			for _, i := range places[id] {
				answers[i] = delivery.Settled{Lost: true}
			}
			delete(places, id)
			continue
		}
		tracks, err := r.tracks()
		if err != nil {
			return err
		}
		before := slices.Clone(tracks)
		for _, i := range places[id] {
			answers[i] = tracks.Settle(r.sequence, settlements[i])
		}
		if slices.EqualFunc(before, tracks, sameTrack) {
			delete(places, id)
			continue
		}
		writes = append(writes, tracksWrite{r, tracks})
	}
	done, err := s.writeTracks(ctx, writes)
	if err != nil {
		return err
	}
	for i, w := range writes {
		if done[i] {
			delete(places, w.record.id)
		}
	}
	return nil
}

// tracksWrite is the tracks that an order is to have.
type tracksWrite struct {
	record *record
	tracks delivery.Tracks
}

// writeTracks writes the tracks of orders, each provided that nobody else has written the order since
// it was read, and says which were written.
func (s *Store) writeTracks(ctx context.Context, writes []tracksWrite) ([]bool, error) {
	done := make([]bool, len(writes))
	if len(writes) == 0 {
		return done, nil
	}
	updates := make([]mongo.WriteModel, len(writes))
	for i, w := range writes {
		updates[i] = w.record.tracksOf(w.tracks)
	}
	bounded, cancel := s.attempt(ctx)
	defer cancel()
	result, err := s.bulkWrite(bounded, updates)
	if err == nil && result.MatchedCount == int64(len(writes)) {
		for i := range done {
			done[i] = true
		}
		return done, nil
	}
	if err != nil && (!isAway(err) || isUnsent(err)) {
		return nil, err
	}
	// Which ones were written is not said, so it is looked up. An order whose revision is the next one
	// and whose tracks are these was written here, or by another that wrote the same.
	ids := make([]order.ID, len(writes))
	for i, w := range writes {
		ids[i] = w.record.id
	}
	found, err := s.findMany(ctx, ids, onlyTracks)
	if err != nil {
		return nil, err
	}
	for i, w := range writes {
		r, ok := found[w.record.id]
		if !ok || r.revision != w.record.revision+1 {
			continue
		}
		tracks, err := r.tracks()
		if err != nil {
			return nil, err
		}
		done[i] = slices.EqualFunc(tracks, w.tracks, sameTrack)
	}
	return done, nil
}

// bulkWrite makes writes that do not depend on each other.
func (s *Store) bulkWrite(ctx context.Context, writes []mongo.WriteModel) (result *mongo.BulkWriteResult, err error) {
	done := s.observed(opUpdate, len(writes))
	err = s.onOrders(ctx, func(orders *mongo.Collection) error {
		result, err = orders.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
		return err
	})
	done(err)
	return result, err
}

// sameTrack compares tracks as they are kept, to the millisecond.
func sameTrack(a, b delivery.Track) bool {
	due := a.DueAt.UnixMilli() == b.DueAt.UnixMilli()
	a.DueAt = b.DueAt
	return due && a == b
}
