package mongo

import (
	"cmp"
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/domain/order"
)

// Get implements ordering.Store.
func (s *Store) Get(ctx context.Context, id order.ID) (*order.Order, error) {
	var o *order.Order
	err := s.do(ctx, "get", func(ctx context.Context) error {
		r, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		o, err = s.order(ctx, &r)
		return err
	})
	return o, err
}

// Events implements ordering.Store.
func (s *Store) Events(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
	var events []order.Event
	err := s.do(ctx, "events", func(ctx context.Context) (err error) {
		events, err = s.events(ctx, id, after, limit)
		return err
	})
	return events, err
}

func (s *Store) events(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
	// Sequences count from 1 without gaps, so that an event's place is known. Only documents that have
	// one there are looked at: not every engine takes a slice from behind the end to be empty.
	filter := bson.D{{Key: "_id", Value: bson.ObjectID(id)}, {Key: "sequence", Value: bson.D{{Key: "$gt", Value: after}}}}
	part := bson.D{{Key: "revision", Value: 1}, {Key: "sequence", Value: 1}, {Key: "events", Value: bson.D{{Key: "$slice", Value: bson.A{after, limit}}}}}
	r, err := s.findOne(ctx, filter, part)
	if errors.Is(err, order.ErrNotFound) {
		return s.noEvents(ctx, id, after, limit)
	}
	if err != nil {
		return nil, err
	}
	return r.events()
}

// noEvents finds out why an order has no stored events behind a place: there are none, there is no such
// order, or it is one of the FastAPI service, whose documents have no events.
func (s *Store) noEvents(ctx context.Context, id order.ID, after, limit int) ([]order.Event, error) {
	r, err := s.find(ctx, id, onlyTracks)
	if err != nil || !r.predecessors {
		return nil, err
	}
	if r, err = s.find(ctx, id, withoutEvents); err != nil {
		return nil, err
	}
	if !r.predecessors { // it has been migrated meanwhile, which happens once
		return s.events(ctx, id, after, limit)
	}
	if _, err := s.order(ctx, &r); err != nil || after > 0 || limit < 1 {
		return nil, err
	}
	return []order.Event{r.adopted.Created}, nil
}

// find reads the document of an order. The error is order.ErrNotFound if there is none.
func (s *Store) find(ctx context.Context, id order.ID, projection bson.D) (record, error) {
	return s.findOne(ctx, bson.D{{Key: "_id", Value: bson.ObjectID(id)}}, projection)
}

// findTracks is find for what only deliveries change.
func (s *Store) findTracks(ctx context.Context, id order.ID) (record, error) {
	return s.find(ctx, id, onlyTracks)
}

func (s *Store) findOne(ctx context.Context, filter, projection bson.D) (record, error) {
	var raw bson.Raw
	err := s.onOrders(ctx, func(orders *mongo.Collection) (err error) {
		raw, err = orders.FindOne(ctx, filter, options.FindOne().SetProjection(projection)).Raw()
		return err
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return record{}, order.ErrNotFound
	}
	if err != nil {
		return record{}, err
	}
	return read(raw)
}

// findMany reads the documents of the given ids that there are.
func (s *Store) findMany(ctx context.Context, ids []order.ID, projection bson.D) (map[order.ID]*record, error) {
	in := make(bson.A, len(ids))
	for i, id := range ids {
		in[i] = bson.ObjectID(id)
	}
	found := make(map[order.ID]*record, len(ids))
	err := s.each(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: in}}}}, options.Find().SetProjection(projection),
		func(raw bson.Raw) (bool, error) {
			r, err := read(raw)
			found[r.id] = &r
			return true, err
		})
	return found, err
}

// each calls do with the documents that match, until it says that it has enough.
func (s *Store) each(
	ctx context.Context, filter bson.D, o *options.FindOptionsBuilder, do func(bson.Raw) (more bool, err error),
) error {
	var inside error // of a query that was begun, which is not begun again
	err := s.onOrders(ctx, func(orders *mongo.Collection) error {
		cursor, err := orders.Find(ctx, filter, o)
		if err == nil {
			inside = eachOf(ctx, cursor, do)
		}
		return err
	})
	return cmp.Or(err, inside)
}

func eachOf(ctx context.Context, cursor *mongo.Cursor, do func(bson.Raw) (more bool, err error)) (err error) {
	defer func() { err = errors.Join(err, cursor.Close(ctx)) }()
	for cursor.Next(ctx) {
		if more, err := do(cursor.Current); err != nil || !more {
			return err
		}
	}
	return cursor.Err()
}
