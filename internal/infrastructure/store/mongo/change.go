package mongo

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	// maxConflicts is how often a change begins again because another process was faster.
	maxConflicts = 100
	// millisecond is how fine BSON keeps a date.
	millisecond = time.Millisecond
)

var errContended = &fault.Error{
	Kind: fault.Unavailable, Code: "order_contended", RetryAfter: time.Second,
	Message: "too many changes of this order are being made at the same time; try again in a moment",
}

// Change implements ordering.Store.
func (s *Store) Change(
	ctx context.Context, id order.ID, h delivery.Handover, now time.Time, change func(*order.Order) error,
) (ordering.Changed, error) {
	var changed ordering.Changed
	var refused error // by change itself
	err := s.exclusively(ctx, "change", id, s.loadToReplace, func(ctx context.Context, r *record) (written, error) {
		o, err := s.order(ctx, r)
		if err != nil {
			return written{}, err
		}
		if err := change(o); err != nil {
			refused = err
			return written{}, err
		}
		changed = ordering.Changed{Order: o}
		if !o.Unsaved() {
			return written{}, nil
		}
		tracks, err := r.tracks()
		if err != nil {
			return written{}, err
		}
		if o.Changed() {
			changed.Leased = tracks.Changed(r.sequence, o.Sequence(), h, now)
		}
		return written{
			update: r.changeOf(o, tracks),
			done: func(ctx context.Context, now *record) (bool, error) {
				return s.wasChanged(ctx, now, o, &changed)
			},
		}, nil
	})
	if err := cmp.Or(refused, err); err != nil {
		return ordering.Changed{}, err
	}
	return changed, nil
}

// loadToReplace is load, but reads all of a document of the FastAPI service: it is written anew as a whole, with
// whatever else it holds.
func (s *Store) loadToReplace(ctx context.Context, id order.ID) (record, error) {
	r, err := s.load(ctx, id)
	if err == nil && r.predecessors {
		return s.find(ctx, id, bson.D{})
	}
	return r, err
}

// wasChanged reports whether the change that made o what it is was made, given the order as it is now.
// It was if the events that it recorded stand where they would.
func (s *Store) wasChanged(ctx context.Context, now *record, o *order.Order, changed *ordering.Changed) (bool, error) {
	mine := o.Events()
	if len(mine) == 0 { // only a request was to be remembered: that can be done again
		return false, nil
	}
	if now.sequence < o.Sequence() {
		return false, nil
	}
	there, err := s.events(ctx, now.id, mine[0].Sequence-1, len(mine))
	if err != nil || !bytes.Equal(formOf(there), formOf(mine)) {
		return false, err
	}
	tracks, err := now.tracks()
	if err != nil {
		return false, err
	}
	changed.Leased = stillHeld(tracks, changed.Leased)
	return true, nil
}

// formOf is the stored form of events.
func formOf(events []order.Event) bson.Raw {
	d := document.NewBSON()
	d.Events("events", events)
	return d.Bytes()
}

// written is a write of one document that was worked out from a record; a nil update writes nothing.
type written struct {
	update mongo.WriteModel
	// done reports whether the update was made, given a record that was read later and is not the one
	// any more that it was worked out from.
	done func(ctx context.Context, now *record) (bool, error)
}

// exclusively has a document read, has an update worked out, and writes it, provided that nobody else has
// meanwhile; else it begins again. An update whose answer was lost is settled by reading.
func (s *Store) exclusively(
	ctx context.Context, op string, id order.ID, read func(context.Context, order.ID) (record, error), work func(context.Context, *record) (written, error),
) error {
	return s.do(ctx, op, func(ctx context.Context) error {
		release, err := s.locks.acquire(ctx, id)
		if err != nil {
			return err
		}
		defer release()
		for conflicts := range maxConflicts {
			r, err := read(ctx, id)
			if err != nil {
				return err
			}
			w, err := work(ctx, &r)
			if err != nil || w.update == nil {
				return err
			}
			done, err := s.update(ctx, op, &r, w)
			if err != nil || done {
				return err
			}
			if err := wait(ctx, backoff(min(conflicts, 4))); err != nil {
				return err
			}
		}
		return errContended
	})
}

// update writes an update once, and reports whether it did. It did not if another writer was faster.
func (s *Store) update(ctx context.Context, op string, r *record, w written) (bool, error) {
	unsure := false // an earlier try may have written
	for try := 0; ; try++ {
		made, err := s.updateOne(ctx, w.update)
		if err == nil && !made && unsure {
			made, err = s.wasMade(ctx, r.id, w)
		}
		switch {
		case err == nil:
			return made, nil
		case !isAway(err):
			return false, gaveUp(op, err, unsure)
		case !isUnsent(err):
			unsure = true
		case isUnserved(err) && !unsure:
			return false, err
		}
		// The same update with the same revision can't be made twice, so it is sent again: if nobody
		// else writes, it matches unless it was made.
		if wait(ctx, backoff(try)) != nil {
			return false, gaveUp(op, err, unsure)
		}
	}
}

// wasMade reads whether an update was made that does not match any more.
func (s *Store) wasMade(ctx context.Context, id order.ID, w written) (bool, error) {
	now, err := s.find(ctx, id, onlyTracks)
	if err != nil {
		return false, err
	}
	return w.done(ctx, &now)
}

func (s *Store) updateOne(ctx context.Context, update mongo.WriteModel) (matched bool, err error) {
	bounded, cancel := s.attempt(ctx)
	defer cancel()
	var result *mongo.UpdateResult
	done := s.observed(opUpdate, 1)
	err = s.onOrders(bounded, func(orders *mongo.Collection) (err error) {
		switch u := update.(type) {
		case *mongo.UpdateOneModel:
			result, err = orders.UpdateOne(bounded, u.Filter, u.Update)
		case *mongo.ReplaceOneModel:
			result, err = orders.ReplaceOne(bounded, u.Filter, u.Replacement)
		default:
			err = fmt.Errorf("mongo: a %T changes no single document", update)
		}
		return err
	})
	done(err)
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

// attempt bounds one try of a write, so that there is time left to find out what became of it.
func (s *Store) attempt(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout*2/3)
}

// backoff is how long to wait before a further try: a random part of what doubles with each.
func backoff(try int) time.Duration {
	const first, longest = 2 * time.Millisecond, 500 * time.Millisecond
	return rand.N(min(first<<min(try, 10), longest)) //nolint:gosec // spreading needs no secrecy
}
