package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	mongooptions "go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// Names of the rows that are measured on MongoDB.
const (
	rowMongoPost, rowMongoGet                = "mongo-post", "mongo-get"
	rowMongoStatus, rowMongoPatchMeta        = "mongo-patch-status", "mongo-patch-metadata"
	mongoGroup                               = "mongo"
	mongoCollection, mongoPlain              = "orders", "plain"
	mongoConnections                  uint64 = 100
)

// mongoRows is what is held against a limit on MongoDB.
func mongoRows() []row {
	least := func(value float64) limit { return limit{value: value, atLeast: true} }
	return []row{
		{name: rowMongoPost, limit: least(0.8), what: "`POST /orders` (3 lines) vs `InsertOne` of the same document by the driver alone, " +
			"64 connections"},
		{name: rowMongoGet, limit: least(0.8), what: "`GET /orders/{id}` at random vs `FindOne` of the same documents, 64 connections"},
	}
}

// mongoOrders is how many orders are read and changed there at most.
const mongoOrders = 20_000

// describeMongo says how the run was made.
func (o *options) describeMongo() []string {
	return []string{
		fmt.Sprintf("The sides of a ratio take turns: %d rounds of %s each after a warm-up of %s. Measured is the median of the "+
			"rounds' ratios, spread the least and the greatest.", o.rounds, o.round, o.warmUp),
		"The service has its default settings (LOG_LEVEL " + o.logLevel + ", its log in a file) but tells nobody (EVENTS and MANIFESTS " +
			"are none). The driver alone inserts the document of one of the service's orders, and finds what the service finds, with " +
			"the same concerns, from the process of the load. Server, service and load share the machine.",
		fmt.Sprintf("Read and changed are %s orders. The [embedded store](benchmarks.md) was measured apart.", grouped(o.changed)),
	}
}

// onMongo is a database of its own on the server that is named.
type onMongo struct {
	database *mongo.Database
	settings []string // of a service that keeps its orders there
}

// openMongo returns an empty database. Its writes and reads have the concerns that the service's have.
func (b *bench) openMongo(ctx context.Context) (m onMongo, drop func() error, err error) {
	journal := true
	client, err := mongo.Connect(mongooptions.Client().ApplyURI(b.mongo).SetMaxPoolSize(mongoConnections).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journal}).SetReadConcern(readconcern.Majority()))
	if err != nil {
		return m, nil, fmt.Errorf("use MongoDB: %w", err)
	}
	m.database = client.Database(fmt.Sprintf("bench_%d", time.Now().UnixNano()))
	drop = func() error {
		ctx := context.WithoutCancel(ctx)
		return errors.Join(m.database.Drop(ctx), client.Disconnect(ctx))
	}
	m.settings = append(alone(), "MONGO_URI="+b.mongo, "MONGO_DB="+m.database.Name())
	return m, drop, b.noteMongo(ctx, m)
}

// noteMongo tells which server it is.
func (b *bench) noteMongo(ctx context.Context, m onMongo) error {
	var build struct {
		Version string `bson:"version"`
	}
	if err := m.database.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&build); err != nil {
		return fmt.Errorf("ask MongoDB who it is: %w", err)
	}
	name := "MongoDB"
	if said := os.Getenv("TEST_MONGO_SERVER"); said != "" {
		name = said + ", which calls itself MongoDB"
	}
	if u, err := url.Parse(b.mongo); err == nil {
		name += " " + build.Version + " on " + u.Hostname()
	}
	b.report.note("server", name)
	return nil
}

// measureMongo compares the service on MongoDB with what its driver does by itself on the same server.
func (b *bench) measureMongo(ctx context.Context) (err error) {
	m, drop, err := b.openMongo(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	c, err := b.service(ctx, b.path("mongo"), m.settings...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	ids, took, err := b.fill(ctx, c, b.changed)
	if err != nil {
		return err
	}
	b.report.note("orders placed by `POST /orders/batch`, "+grouped(batchSize)+" at a time", perSecond(float64(b.changed)/took.Seconds()))
	if err := b.mongoInserts(ctx, m, c, ids[0]); err != nil {
		return err
	}
	if err := b.mongoFinds(ctx, m, c, ids); err != nil {
		return err
	}
	if err := b.mongoChanges(ctx, c, ids); err != nil {
		return err
	}
	return b.noteMemory(c, "all of this on MongoDB")
}

// mongoInserts compares placing orders with inserting the document of one of them again and again.
func (b *bench) mongoInserts(ctx context.Context, m onMongo, c *child, id orderID) error {
	document, err := m.document(ctx, id)
	if err != nil {
		return err
	}
	plain := m.database.Collection(mongoPlain)
	insert := driven("driver", func(ctx context.Context, _, _ int) error {
		fresh := slices.Clone(document)
		fresh[0].Value = bson.NewObjectID()
		_, err := plain.InsertOne(ctx, fresh)
		return err //nolint:wrapcheck // told with the row
	})
	found, err := b.interleave(ctx, rowMongoPost, b.round, insert, on("service", c.addr, posts(usual)))
	if err != nil {
		return err
	}
	b.report.set(rowMongoPost, found[1].rates().over(found[0].rates()))
	b.report.note("`POST /orders`, 64 connections, service", found[1].String())
	b.report.note("`InsertOne`, 64 at the same time, driver", found[0].String())
	return nil
}

// mongoFinds compares reading orders with finding their documents.
func (b *bench) mongoFinds(ctx context.Context, m onMongo, c *child, ids []orderID) error {
	orders := m.database.Collection(mongoCollection)
	find := driven("driver", func(ctx context.Context, worker, n int) error {
		id, err := bson.ObjectIDFromHex(string(ids[(worker*7919+n*104_729)%len(ids)][:]))
		if err != nil {
			return err //nolint:wrapcheck // told with the row
		}
		return orders.FindOne(ctx, bson.D{{Key: "_id", Value: id}}, mongooptions.FindOne().SetProjection(bson.D{{Key: "events", Value: 0}})).Err()
	})
	reads := load{conns: usual, want: 200, script: getScripts(ids), check: checkOrder}
	found, err := b.interleave(ctx, rowMongoGet, b.round, find, on("service", c.addr, reads))
	if err != nil {
		return err
	}
	b.report.set(rowMongoGet, found[1].rates().over(found[0].rates()))
	b.report.note("`GET /orders/{id}` at random, 64 connections, service", found[1].String())
	b.report.note("`FindOne`, 64 at the same time, driver", found[0].String())
	return nil
}

// mongoChanges compares changing orders with placing them.
func (b *bench) mongoChanges(ctx context.Context, c *child, ids []orderID) error {
	found, err := b.interleave(ctx, "mongo-patch", b.round, on("POST", c.addr, posts(usual)),
		on("PATCH status", c.addr, load{conns: usual, want: 200, script: statusScripts(ids), check: checkOrder}),
		on("PATCH metadata", c.addr, load{conns: usual, want: 200, script: metadataScripts(ids), check: checkOrder}))
	if err != nil {
		return err
	}
	b.report.note("`PATCH /orders/{id}` of the status, 64 connections", found[1].String())
	b.report.note("`PATCH /orders/{id}` of the metadata, 64 connections", found[2].String())
	b.report.note("`POST /orders` in turns with these", found[0].String())
	return nil
}

// document reads what is stored of an order.
func (m onMongo) document(ctx context.Context, order orderID) (bson.D, error) {
	id, err := bson.ObjectIDFromHex(string(order[:]))
	if err != nil {
		return nil, fmt.Errorf("id of an order: %w", err)
	}
	var document bson.D
	if err := m.database.Collection(mongoCollection).FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&document); err != nil {
		return nil, fmt.Errorf("read an order's document: %w", err)
	}
	return document, nil
}

// driven makes a side of what the driver does by itself, as many at the same time as there are connections usually.
func driven(name string, do func(ctx context.Context, worker, n int) error) side {
	return side{name: name, run: func(ctx context.Context, d time.Duration) (sample, error) {
		var group sync.WaitGroup
		failed, latencies := make([]error, usual), make([][]time.Duration, usual)
		started := time.Now()
		end := started.Add(d)
		for worker := range usual {
			group.Go(func() {
				for n, now := 0, time.Now(); now.Before(end); n++ {
					if failed[worker] = do(ctx, worker, n); failed[worker] != nil {
						return
					}
					answered := time.Now()
					latencies[worker] = append(latencies[worker], answered.Sub(now))
					now = answered
				}
			})
		}
		group.Wait()
		took := time.Since(started)
		if err := errors.Join(failed...); err != nil {
			return sample{}, fmt.Errorf("driver: %w", first(err))
		}
		all := slices.Concat(latencies...)
		slices.Sort(all)
		return sample{requests: len(all), took: took, p50: percentile(all, 0.50), p99: percentile(all, 0.99)}, nil
	}}
}
