package bootstrap

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/internal/infrastructure/store/sqlite"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
	"order-processing-service/internal/interfaces/cli"
)

// storage is what every store of orders is to the program. The zero value is none.
type storage struct {
	ordering.Store
	deliveryStore
	io.Closer

	now    func() time.Time            // the clock by which leases are told
	place  string                      // for people
	system string                      // as OpenTelemetry names it
	renew  func(context.Context) error // looks for changed settings; nil if none may change
}

type deliveryStore = delivery.Store

// The stores as OpenTelemetry names them.
const (
	systemSQLite  = "sqlite"
	systemMongoDB = "mongodb"
)

// openStore opens the store that the configuration names. Its writes are measured, unless measure is nil.
func openStore(ctx context.Context, c *config.Config, log *slog.Logger, measure *metrics.Metrics) (storage, error) {
	if c.UsesMongoDB() {
		return openMongoDB(ctx, c, log, measure)
	}
	path := filepath.Join(c.DataDir, "orders.db")
	store, err := sqlite.Open(sqlite.Config{Path: path, QueueSize: c.StoreQueueSize, Log: log, Observe: measure.Writes(ctx, systemSQLite)})
	if err != nil {
		return storage{}, err
	}
	opened := storage{Store: store, deliveryStore: store, Closer: store, now: wallClock(time.Now), place: path, system: systemSQLite}
	measure.ObserveQueue(systemSQLite, store.QueueDepth)
	if c.MayChange() {
		opened.renew = newRereader(c, log).look
	}
	return opened, nil
}

// wallClock returns the clock without the monotonic reading of its times. That stands still while a machine sleeps, or a
// function is frozen, and leases go on by what other processes see.
func wallClock(now func() time.Time) func() time.Time {
	return func() time.Time { return now().Round(0) }
}

// openMongoDB opens the store in MongoDB. A server that is away is no error.
func openMongoDB(ctx context.Context, c *config.Config, log *slog.Logger, measure *metrics.Metrics) (storage, error) {
	settings, server, err := mongoConfig(c, log)
	if err != nil {
		return storage{}, err
	}
	settings.Observe = measure.Writes(ctx, systemMongoDB)
	store, err := mongo.Open(ctx, settings)
	if err != nil {
		return storage{}, err
	}
	opened := storage{Store: store, deliveryStore: store, Closer: store, now: wallClock(store.Now), system: systemMongoDB}
	measure.ObserveQueue(systemMongoDB, store.QueueDepth)
	opened.place = "MongoDB at " + server.Target() + ", database " + settings.Database
	if c.MayChange() {
		opened.renew = store.Renew
	}
	return opened, nil
}

// mongoConfig is what the settings say of the store in MongoDB and of its server. Settings that can't be
// used are a usage error. The log is the store's; nil for nobody.
func mongoConfig(c *config.Config, log *slog.Logger) (settings mongo.Config, server mongo.Server, err error) {
	server = mongoServer(c)
	settings, err = mongoConfigOf(c, server)
	settings.Log = log
	if c.MayChange() {
		settings.Server, settings.Renew = server, newRereader(c, log).server
	}
	return settings, server, err
}

// mongoConfigOf is mongoConfig for a server that need not be the one of the settings.
func mongoConfigOf(c *config.Config, server mongo.Server) (mongo.Config, error) {
	client, database, err := server.Options()
	if err != nil {
		return mongo.Config{}, cli.UsageError{Err: err}
	}
	currency, err := money.CurrencyOf(c.DefaultCurrency)
	return mongo.Config{
		Client: client, Database: cmp.Or(database, c.MongoDB), Timeout: c.MongoTimeout, KeepIndexes: !c.MongoCreateIndexes,
		DefaultCurrency: currency,
	}, err
}

// mongoServer is where the configuration says that MongoDB is.
func mongoServer(c *config.Config) mongo.Server {
	return mongo.Server{
		URI: string(c.MongoURI), Host: c.MongoHost, Port: c.MongoPort,
		User: c.MongoUser, Password: string(c.MongoPassword), AuthSource: c.MongoAuthSource,
		// A secret of a user alone, as rotations write it, goes with a connection string that names only servers.
		SignInURI: c.IsSecret("MONGO_PASSWORD"),
		TLS:       c.MongoTLS, CAFile: c.MongoTLSCAFile, MaxPoolSize: c.MongoMaxPoolSize,
	}
}
