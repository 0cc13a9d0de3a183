package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

const (
	// maxDocument is the most that the server takes as one document.
	maxDocument = 16 << 20
	// maxForeign bounds how many documents that are no orders a copy names.
	maxForeign = 1_000
)

// CountRecords implements copying.Source. The server knows the number without counting.
func (s *Store) CountRecords(ctx context.Context) (n int64, err error) {
	err = s.do(ctx, "count records", func(ctx context.Context) (err error) {
		n, err = s.count(ctx)
		return err
	})
	return n, err
}

func (s *Store) count(ctx context.Context) (n int64, err error) {
	err = s.onOrders(ctx, func(orders *mongo.Collection) error {
		n, err = orders.EstimatedDocumentCount(ctx)
		return err
	})
	return n, err
}

// Records implements copying.Source. The last page, behind all orders, names the documents that have no
// order's id.
func (s *Store) Records(ctx context.Context, wanted copying.Range) (copying.Page, error) {
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: bson.ObjectID(wanted.After)}}}}
	find := options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(wanted.Limit))
	var page copying.Page
	err := s.do(ctx, "records", func(ctx context.Context) error {
		size := 0
		err := s.each(ctx, filter, find, func(raw bson.Raw) (bool, error) {
			r, err := read(raw)
			if err != nil {
				return false, err
			}
			page.Next = r.id
			if whole, err := s.whole(ctx, &r); err != nil {
				page.Unreadable = append(page.Unreadable, copying.Unreadable{ID: r.id.String(), Err: err})
			} else {
				page.Records = append(page.Records, whole)
			}
			size += len(raw)
			return size < wanted.Bytes, nil
		})
		if err == nil && page.Next.IsZero() {
			page.Unreadable, err = s.foreign(ctx)
		}
		return err
	})
	if err != nil {
		return copying.Page{}, err
	}
	return page, nil
}

// foreign finds documents whose _id is no ObjectID. A comparison with an ObjectID passes them over.
func (s *Store) foreign(ctx context.Context) (found []copying.Unreadable, err error) {
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$type", Value: "objectId"}}}}}}
	find := options.Find().SetProjection(bson.D{{Key: "_id", Value: 1}}).SetLimit(maxForeign)
	err = s.each(ctx, filter, find, func(raw bson.Raw) (bool, error) {
		id := raw.Lookup("_id")
		found = append(found, copying.Unreadable{
			ID: id.String(), Err: fmt.Errorf("mongo: a document whose _id is of type %s and not an ObjectID is no order", id.Type),
		})
		return true, nil
	})
	return found, err
}

// whole reads all that is kept of the order. One of the FastAPI service is what a change would make of
// it: an order of version 1 with one event, of which nobody is to be told.
func (s *Store) whole(ctx context.Context, r *record) (whole copying.Record, err error) {
	if whole.Order, err = s.order(ctx, r); err != nil {
		return whole, err
	}
	if whole.Tracks, err = r.tracks(); err != nil {
		return whole, err
	}
	if r.predecessors {
		whole.Events = []order.Event{r.adopted.Created}
		return whole, nil
	}
	whole.Events, err = r.events()
	return whole, err
}

// InsertRecords implements copying.Destination. The primary key makes a repeat impossible, so an insert
// whose answer was lost is simply sent again, and what it made is then there already.
func (s *Store) InsertRecords(ctx context.Context, records []copying.Record) []copying.Inserted {
	answers := make([]copying.Inserted, len(records))
	var at []int
	var documents []any
	for i := range records {
		r := &records[i]
		d := newDocument(r.Order, r.Tracks, r.Events)
		if len(d) > maxDocument {
			answers[i].Err = fault.New(fault.TooLarge, "order_too_large", fmt.Sprintf(
				"with its history the order takes %d bytes, and MongoDB takes documents of %d", len(d), maxDocument))
			continue
		}
		at, documents = append(at, i), append(documents, d)
	}
	if len(documents) == 0 {
		return answers
	}
	err := s.do(ctx, "insert records", func(ctx context.Context) error {
		refused, err := s.insertUntilKnown(ctx, documents)
		if err != nil {
			return err
		}
		taken := make(map[order.ID]int) // where the answers are
		for _, r := range refused {
			i := at[r.Index]
			id := records[i].Order.ID()
			if r.Code != codeDuplicateKey {
				answers[i].Err = fault.Wrap(r.WriteError, fault.Invalid, "order_refused", "MongoDB refuses the order's document")
				continue
			}
			taken[id] = i
			answers[i].Err = fmt.Errorf("the order that has the id %s is not there", id)
		}
		return s.compare(ctx, records, taken, answers)
	})
	if err != nil {
		for _, i := range at {
			answers[i] = copying.Inserted{Err: err}
		}
	}
	return answers
}

// insertUntilKnown inserts documents, again as long as it is not known what became of them, and returns
// those that were refused.
func (s *Store) insertUntilKnown(ctx context.Context, documents []any) ([]mongo.BulkWriteError, error) {
	for try := 0; ; try++ {
		refused, err := s.insertMany(ctx, documents)
		if err == nil || !isAway(err) || isUnserved(err) || wait(ctx, backoff(try)) != nil {
			return refused, err
		}
	}
}

// compare answers the records whose ids are taken, one after the other, so that no more than one of what
// is there is held in memory.
func (s *Store) compare(ctx context.Context, records []copying.Record, there map[order.ID]int, answers []copying.Inserted) error {
	if len(there) == 0 {
		return nil
	}
	ids := make(bson.A, 0, len(there))
	for id := range there {
		ids = append(ids, bson.ObjectID(id))
	}
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
	return s.each(ctx, filter, options.Find(), func(raw bson.Raw) (bool, error) {
		r, err := read(raw)
		if err != nil {
			return false, err
		}
		i, ok := there[r.id]
		if !ok {
			return true, nil
		}
		if whole, err := s.whole(ctx, &r); err != nil {
			answers[i] = copying.Inserted{Err: err}
		} else {
			answers[i] = copying.Inserted{Existing: true, Differs: document.Difference(&whole, &records[i])}
		}
		return true, nil
	})
}
