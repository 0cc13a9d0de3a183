package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Index is an index that lists or claims need, so that they scan no collection.
type Index struct {
	Name string
	Keys bson.D
	// Member, if it is not "", must be in a document for it to be in the index: what few documents have
	// costs the others nothing.
	Member string
	// For says which calls it serves.
	For string
}

// Indexes are all that there should be besides that of _id. None is unique: the primary key alone keeps
// repeats away.
func Indexes() []Index {
	newest := func(member string) bson.D {
		return append(bson.D{{Key: member, Value: 1}}, newestFirst...)
	}
	return []Index{
		{Name: "orders_created", Keys: newestFirst, For: "lists without a filter, or of a time"},
		{Name: "orders_status", Keys: newest("status"), For: "lists by status"},
		{Name: "orders_payment", Keys: newest("payment_status"), For: "lists by payment status"},
		{Name: "orders_fulfillment", Keys: newest("fulfillment_status"), For: "lists by fulfillment status"},
		{Name: "orders_customer", Keys: newest("customer_id"), For: "lists by customer"},
		{Name: "orders_reference", Keys: newest("reference"), For: "lists by reference"},
		{Name: "orders_placed", Keys: newest("placed_at"), For: "lists by the time of placing"},
		{
			Name: "orders_due", Keys: bson.D{{Key: "due_at", Value: 1}, {Key: "_id", Value: 1}}, Member: "due_at",
			For: "claims, and deliveries that wait",
		},
		{
			Name: "orders_parked", Keys: bson.D{{Key: "parked", Value: 1}, {Key: "_id", Value: 1}}, Member: "parked",
			For: "deliveries that are parked",
		},
	}
}

// Command is the index as a command of the MongoDB shell.
func (i Index) Command() string {
	keys := make([]string, len(i.Keys))
	for n, k := range i.Keys {
		keys[n] = fmt.Sprintf("%s: %v", k.Key, k.Value)
	}
	more := ""
	if i.Member != "" {
		more = fmt.Sprintf(", partialFilterExpression: {%s: {$exists: true}}", i.Member)
	}
	return fmt.Sprintf("db.%s.createIndex({%s}, {name: %q%s})", Collection, strings.Join(keys, ", "), i.Name, more)
}

func (i Index) model() mongo.IndexModel {
	o := options.Index().SetName(i.Name)
	if i.Member != "" {
		o.SetPartialFilterExpression(bson.D{{Key: i.Member, Value: bson.D{{Key: "$exists", Value: true}}}})
	}
	return mongo.IndexModel{Keys: i.Keys, Options: o}
}

// indexNew makes the indexes of a collection without documents, where that takes no time, and reports
// whether it has.
func (s *Store) indexNew(ctx context.Context) bool {
	return s.do(ctx, "make indexes", func(ctx context.Context) error {
		err := s.onOrders(ctx, func(orders *mongo.Collection) error {
			return orders.FindOne(ctx, bson.D{}, options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 1}})).Err()
		})
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return cmp.Or(err, errNotNew)
		}
		return errors.Join(s.makeIndexes(ctx))
	}) == nil
}

var errNotNew = errors.New("there are documents")

// refusals are the answers that trying again does not change.
var refusals = []int{codeUnauthorized, codeCannotCreateIndex, codeIndexOptionsConflict, codeIndexKeySpecs}

// indexPause is how long to wait before another try to make the indexes.
const indexPause = 5 * time.Second

// keepIndexes makes the indexes that are not there, trying again until ctx ends or it has. Nobody waits
// for it: until an index is there, what it serves is slower.
func (s *Store) keepIndexes(ctx context.Context) {
	told := false
	for {
		refused, later := s.makeIndexes(ctx)
		if ctx.Err() != nil {
			return
		}
		if later == nil {
			if refused != nil {
				s.log.WarnContext(ctx, "an index can't be made; make it with the commands of 'orders mongo indexes'", "error", refused)
			}
			return
		}
		level := slog.LevelDebug
		if !isAway(later) && !told {
			level, told = slog.LevelWarn, true
		}
		s.log.Log(ctx, level, "indexes can't be made yet", "error", later)
		if wait(ctx, indexPause) != nil {
			return
		}
	}
}

// makeIndexes makes each index on its own, so that one that can't be had keeps no other away. To make
// one that is there already, or is being made by another process, does nothing. Where an engine has no
// partial indexes, a whole one does. It returns what the server refuses, and what may be tried again.
func (s *Store) makeIndexes(ctx context.Context) (refused, later error) {
	for _, index := range Indexes() {
		err := s.makeIndex(ctx, index)
		if err != nil && index.Member != "" && !isAway(err) && !hasCode(err, codeIndexOptionsConflict) {
			index.Member = ""
			err = s.makeIndex(ctx, index)
		}
		if err == nil {
			continue
		}
		err = fmt.Errorf("index %s: %w", index.Name, err)
		if slices.ContainsFunc(refusals, func(code int) bool { return hasCode(err, code) }) {
			refused = errors.Join(refused, err)
		} else {
			later = errors.Join(later, err)
		}
	}
	return refused, later
}

func (s *Store) makeIndex(ctx context.Context, index Index) error {
	return s.onOrders(ctx, func(orders *mongo.Collection) error {
		_, err := orders.Indexes().CreateOne(ctx, index.model())
		return err
	})
}
