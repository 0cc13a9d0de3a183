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
	filter, find := filterOf(&q), options.Find().SetProjection(withoutEvents).SetSort(newestFirst)
	seen, weight := 0, 0
	page := func(ctx context.Context) error {
		orders, seen, weight = orders[:0], 0, 0
		return s.each(ctx, filter, find, func(raw bson.Raw) (bool, error) {
			seen++
			o, err := s.listed(ctx, raw)
			if o != nil {
				orders, weight = append(orders, o), weight+o.View().Weight()
			}
			return len(orders) < q.Limit && !q.Full(weight), err
		})
	}
	err := s.do(ctx, "list", func(ctx context.Context) error {
		find.SetLimit(int64(q.Limit))
		if err := page(ctx); err != nil || len(orders) == q.Limit || seen < q.Limit || q.Full(weight) {
			return err
		}
		// Some were left out, and the page is to be full: a short one would be the last.
		find.SetLimit(0).SetBatchSize(int32(q.Limit)) //nolint:gosec // a page is small
		return page(ctx)
	})
	if err != nil {
		return nil, err
	}
	return orders, nil
}

// filterOf finds the orders that a list is of. A document of the FastAPI service has neither the derived
// statuses nor the time of placing: these follow from its status and its time of creation. Each condition
// on a member is in one place, so that any engine can use whichever index it has.
func filterOf(q *ordering.Query) bson.D {
	filter := bson.D{}
	var both bson.A // conditions with alternatives
	equal := func(name, value string) {
		if value != "" {
			filter = append(filter, bson.E{Key: name, Value: value})
		}
	}
	derived := func(name, value string, from []order.Status) {
		if len(from) == 0 {
			equal(name, value)
			return
		}
		filter = append(filter, bson.E{Key: name, Value: bson.D{{Key: "$in", Value: bson.A{value, nil}}}})
		both = append(both, either(
			bson.D{{Key: name, Value: value}},
			bson.D{{Key: name, Value: nil}, {Key: "status", Value: bson.D{{Key: "$in", Value: from}}}},
		))
	}
	equal("status", string(q.Status))
	derived("payment_status", string(q.PaymentStatus), statusesBehindPayment(q.PaymentStatus))
	derived("fulfillment_status", string(q.FulfillmentStatus), statusesBehindFulfillment(q.FulfillmentStatus))
	equal("customer_id", q.CustomerID)
	equal("reference", q.Reference)
	if placed := window(q.PlacedAfter, q.PlacedBefore); len(placed) > 0 {
		both = append(both, either(
			bson.D{{Key: "placed_at", Value: placed}},
			bson.D{{Key: "placed_at", Value: nil}, {Key: "created_at", Value: placed}},
		))
	}
	created := window(q.CreatedAfter, q.CreatedBefore)
	if !q.After.IsZero() {
		// The bound repeats what the alternatives say, so that a search of an index begins there.
		at := bson.NewDateTimeFromTime(q.After.CreatedAt)
		created = append(created, bson.E{Key: "$lte", Value: at})
		both = append(both, either(
			bson.D{{Key: "created_at", Value: bson.D{{Key: "$lt", Value: at}}}},
			bson.D{{Key: "created_at", Value: at}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: bson.ObjectID(q.After.ID)}}}},
		))
	}
	if len(created) > 0 {
		filter = append(filter, bson.E{Key: "created_at", Value: created})
	}
	if len(both) > 0 {
		filter = append(filter, bson.E{Key: "$and", Value: both})
	}
	return filter
}

func either(alternatives ...bson.D) bson.D { return bson.D{{Key: "$or", Value: alternatives}} }

// statusesBehindPayment lists the statuses that give an order of the FastAPI service this payment status.
func statusesBehindPayment(s order.PaymentStatus) []order.Status {
	switch s {
	case order.PaymentStatusUnpaid:
		return []order.Status{order.StatusPending, order.StatusCanceled}
	case order.PaymentStatusPaid:
		return []order.Status{order.StatusPaid, order.StatusShipped, order.StatusDelivered}
	default:
		return nil
	}
}

// statusesBehindFulfillment lists those that give it this fulfillment status.
func statusesBehindFulfillment(s order.FulfillmentStatus) []order.Status {
	switch s {
	case order.FulfillmentStatusUnfulfilled:
		return []order.Status{order.StatusPending, order.StatusPaid, order.StatusCanceled}
	case order.FulfillmentStatusShipped:
		return []order.Status{order.StatusShipped}
	case order.FulfillmentStatusDelivered:
		return []order.Status{order.StatusDelivered}
	default:
		return nil
	}
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
