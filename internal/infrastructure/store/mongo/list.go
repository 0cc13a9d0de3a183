package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// newestFirst is how lists are sorted; each index that serves one ends so.
//
//nolint:gochecknoglobals // a query
var newestFirst = bson.D{{Key: "created_at", Value: -1}, {Key: "_id", Value: -1}}

// List implements ordering.Store.
func (s *Store) List(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
	orders := make([]*order.Order, 0, q.Limit)
	find := options.Find().SetProjection(withoutEvents).SetSort(newestFirst).SetLimit(int64(q.Limit))
	err := s.do(ctx, "list", func(ctx context.Context) error {
		orders = orders[:0]
		return s.each(ctx, filterOf(&q), find, func(raw bson.Raw) (bool, error) {
			r, err := read(raw)
			if err != nil {
				return false, err
			}
			o, err := r.order()
			orders = append(orders, o)
			return true, err
		})
	})
	if err != nil {
		return nil, err
	}
	return orders, nil
}

// filterOf finds the orders that a list is of. Every condition is on a member of its own, so that any
// engine can use whichever index it has.
func filterOf(q *ordering.Query) bson.D {
	filter := bson.D{}
	equal := func(name, value string) {
		if value != "" {
			filter = append(filter, bson.E{Key: name, Value: value})
		}
	}
	equal("status", string(q.Status))
	equal("payment_status", string(q.PaymentStatus))
	equal("fulfillment_status", string(q.FulfillmentStatus))
	equal("customer_id", q.CustomerID)
	equal("reference", q.Reference)
	if placed := window(q.PlacedAfter, q.PlacedBefore); len(placed) > 0 {
		filter = append(filter, bson.E{Key: "placed_at", Value: placed})
	}
	created := window(q.CreatedAfter, q.CreatedBefore)
	if !q.After.IsZero() {
		// The bound repeats what the alternatives say, so that a search of an index begins there.
		at := bson.NewDateTimeFromTime(q.After.CreatedAt)
		created = append(created, bson.E{Key: "$lte", Value: at})
		filter = append(filter, bson.E{Key: "$or", Value: bson.A{
			bson.D{{Key: "created_at", Value: bson.D{{Key: "$lt", Value: at}}}},
			bson.D{{Key: "created_at", Value: at}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: bson.ObjectID(q.After.ID)}}}},
		}})
	}
	if len(created) > 0 {
		filter = append(filter, bson.E{Key: "created_at", Value: created})
	}
	return filter
}

// window is the condition that a time is not before after, but before before; zero times set no
// bound. Orders are kept to the millisecond, so a bound between two of them is the later one.
func window(after, before time.Time) bson.D {
	var condition bson.D
	if !after.IsZero() {
		condition = append(condition, bson.E{Key: "$gte", Value: ceil(after)})
	}
	if !before.IsZero() {
		condition = append(condition, bson.E{Key: "$lt", Value: ceil(before)})
	}
	return condition
}

func ceil(t time.Time) bson.DateTime {
	at := bson.NewDateTimeFromTime(t)
	if t.After(at.Time()) {
		at++
	}
	return at
}
