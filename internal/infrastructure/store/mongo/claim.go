package mongo

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

const (
	// maxLooks bounds how much a claim that finds nothing for its subscribers writes.
	maxLooks = 8
	// maxClaimBytes bounds the memory of a claim of large orders; there is always at least one.
	maxClaimBytes = 32 << 20
	// damagedDelay is how long an order that can't be read is left alone before it is looked at again.
	damagedDelay = 5 * time.Minute
)

// Claim implements delivery.Store. It asks for no sorting: an index on what is due gives the longest
// due first by itself, and an engine without one need not sort everything. Processes that claim at the
// same time get what they were first to write. An order that can't be read delays nobody but itself.
func (s *Store) Claim(ctx context.Context, claim delivery.Claim) ([]delivery.Task, error) {
	var tasks []delivery.Task
	err := s.do(ctx, "claim", func(ctx context.Context) error {
		if !s.clock.known.Load() { // claim.Now is not by the server's clock, and leases are
			return s.setClock(ctx)
		}
		claimed, room := 0, maxClaimBytes
		for range maxLooks {
			due, err := s.due(ctx, claim.Now, claim.Limit-claimed, &room)
			if err != nil || len(due) == 0 {
				return err
			}
			mine, err := s.lease(ctx, due, claim)
			if err != nil {
				return err
			}
			more, err := s.tasks(ctx, mine, claim.Now)
			tasks = append(tasks, more...)
			if err != nil {
				return err
			}
			if claimed += len(mine); claimed >= claim.Limit || room <= 0 {
				break
			}
		}
		return nil
	})
	if len(tasks) > 0 {
		return tasks, nil // what is leased is told, whatever came after
	}
	return nil, err
}

// due reads orders that are due, no more than limit, and until they and their events take up the room.
func (s *Store) due(ctx context.Context, now time.Time, limit int, room *int) ([]record, error) {
	var due []record
	find := options.Find().SetProjection(withoutEvents).SetLimit(int64(limit))
	err := s.each(ctx, dueBy(bson.NewDateTimeFromTime(now)), find, func(raw bson.Raw) (bool, error) {
		r, err := read(raw)
		if err != nil {
			return true, nil //nolint:nilerr // it is somebody else's; lists speak of it
		}
		due = append(due, r)
		events, _ := raw.Lookup("event_bytes").AsInt64OK()
		*room -= len(raw) + int(events)
		return *room > 0, nil
	})
	return due, err
}

// dueBy finds the orders of which something is due.
func dueBy(now bson.DateTime) bson.D {
	return bson.D{{Key: "due_at", Value: bson.D{{Key: "$lte", Value: now}}}, ours}
}

// ours keeps documents of the FastAPI service out of what is due or parked, whatever members they have.
//
//nolint:gochecknoglobals // a part of queries
var ours = bson.E{Key: "form", Value: bson.D{{Key: "$exists", Value: true}}}

// leased is an order with the tracks that were leased.
type leased struct {
	record
	tracks []delivery.Track
}

// lease leases what is due of each order, and puts off those that can't be read. It returns the orders
// of which something was leased.
func (s *Store) lease(ctx context.Context, due []record, claim delivery.Claim) ([]leased, error) {
	var writes []tracksWrite
	var mine []leased
	for i := range due {
		r := &due[i]
		tracks, err := r.tracks()
		if err != nil {
			if err := s.putOff(ctx, r, claim.Now, err); err != nil {
				return nil, err
			}
			continue
		}
		held := tracks.Claim(r.sequence, claim)
		writes = append(writes, tracksWrite{r, tracks})
		mine = append(mine, leased{*r, held})
	}
	done, err := s.writeTracks(ctx, writes)
	if err != nil {
		return nil, err
	}
	won := mine[:0]
	for i, l := range mine {
		if done[i] && len(l.tracks) > 0 {
			won = append(won, l)
		}
	}
	return won, nil
}

// tasks is what the leased tracks of orders are to be told. An order that can't be read is put off.
func (s *Store) tasks(ctx context.Context, mine []leased, now time.Time) ([]delivery.Task, error) {
	if len(mine) == 0 {
		return nil, nil
	}
	ids := make([]order.ID, len(mine))
	for i := range mine {
		ids[i] = mine[i].id
	}
	newest, err := s.findMany(ctx, ids, newestEvents)
	if err != nil {
		return nil, err
	}
	var tasks []delivery.Task
	for i := range mine {
		more, err := s.tasksOf(ctx, &mine[i], newest[mine[i].id])
		switch {
		case err == nil:
			tasks = append(tasks, more...)
		case isAway(err), ctx.Err() != nil:
			return tasks, err
		default:
			mine[i].revision++ // the lease was written
			if err := s.putOff(ctx, &mine[i].record, now, err); err != nil {
				return tasks, err
			}
		}
	}
	return tasks, nil
}

// tasksOf is what the leased tracks of one order are to be told, given its newest events.
func (s *Store) tasksOf(ctx context.Context, l *leased, newest *record) ([]delivery.Task, error) {
	if newest == nil {
		return nil, order.ErrNotFound
	}
	events, err := newest.events()
	if err != nil {
		return nil, err
	}
	tasks := make([]delivery.Task, len(l.tracks))
	for i, t := range l.tracks {
		o, err := l.order() // one each, that nobody shares
		if err != nil {
			return nil, err
		}
		tasks[i] = delivery.Task{Subscriber: t.Subscriber, Attempts: t.Attempts, Message: delivery.Message{Order: o}}
		if len(events) > 0 && events[0].Sequence <= t.Told+1 {
			tasks[i].Events = between(events, t.Told, l.sequence)
		} else if tasks[i].Events, err = s.toTell(ctx, &l.record, t.Told); err != nil {
			return nil, err
		}
	}
	return tasks, nil
}

// toTell reads the events that a subscriber is to be told next who was told those up to told: no newer
// ones than the order that was read.
func (s *Store) toTell(ctx context.Context, r *record, told int) ([]order.Event, error) {
	if told >= r.sequence {
		return nil, nil
	}
	events, err := s.events(ctx, r.id, told, delivery.MaxEvents)
	return between(events, told, r.sequence), err
}

// between returns the events with a sequence above told up to last, and as many as a task may have.
func between(events []order.Event, told, last int) []order.Event {
	part := slices.DeleteFunc(slices.Clone(events), func(e order.Event) bool { return e.Sequence <= told || e.Sequence > last })
	return part[:min(len(part), delivery.MaxEvents)]
}

// putOff leaves an order that can't be read alone for a while, and tells an operator.
func (s *Store) putOff(ctx context.Context, r *record, now time.Time, cause error) error {
	s.log.ErrorContext(ctx, "stored order can't be read; its events are not told", slog.String("order_id", r.id.String()), slog.Any("error", cause))
	bounded, cancel := s.attempt(ctx)
	defer cancel()
	later := bson.NewDateTimeFromTime(now.Add(damagedDelay))
	return s.onOrders(bounded, func(orders *mongo.Collection) error {
		_, err := orders.UpdateOne(bounded, r.filter(), bson.D{{Key: "$set", Value: bson.D{
			{Key: "revision", Value: r.revision + 1}, {Key: "due_at", Value: later},
		}}})
		return err
	})
}
