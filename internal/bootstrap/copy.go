package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/internal/infrastructure/store/sqlite"
	"order-processing-service/internal/interfaces/cli"
)

// copyOrders is the work behind the copy command.
func copyOrders(ctx context.Context, streams cli.Streams, o cli.CopyOptions) (err error) {
	c, err := load(ctx, o.Overrides)
	if err != nil {
		return err
	}
	source, err := placeOf("--from", o.From, c)
	if err != nil {
		return err
	}
	destination, err := placeOf("--to", o.To, c)
	if err != nil {
		return err
	}
	if source.is(destination) {
		return cli.UsageError{Err: fmt.Errorf("--from and --to are both %s: name two stores", source)}
	}
	if err := source.mustBeThere(); err != nil {
		return err
	}
	// What is rounded of the orders of the FastAPI service is never rounded in silence.
	source.settings.Log = slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	from, err := source.open(ctx, true)
	if err != nil {
		return fmt.Errorf("the source %s can't be used: %w", source, err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := destination.open(ctx, false)
	if err != nil {
		return fmt.Errorf("the destination %s can't be used: %w", destination, err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := to.Ping(ctx); err != nil {
		return fmt.Errorf("the destination %s can't be used: %w", destination, err)
	}
	return cli.RunCopy(ctx, streams, o, from, to, time.Now)
}

// copyStore is what a store is to a copy.
type copyStore interface {
	copying.Source
	copying.Destination
	io.Closer

	Ping(ctx context.Context) error
}

// copyPlace is a store that --from or --to names.
type copyPlace struct {
	path     string // of an SQLite file; "" for MongoDB
	server   mongo.Server
	settings mongo.Config
}

// String names the place without who signs in.
func (p copyPlace) String() string {
	if p.path != "" {
		return "sqlite:" + p.path
	}
	return "mongodb://" + p.server.Target() + "/" + p.settings.Database
}

// placeOf reads the name of a store. The error is a usage error and does not show the name, which may
// hold a password.
func placeOf(flag, name string, c *config.Config) (p copyPlace, err error) {
	path, isFile := strings.CutPrefix(name, "sqlite:")
	switch {
	case isFile:
		p.path = filepath.Clean(cmp.Or(path, c.DataDir))
		if info, err := os.Stat(p.path); path == "" || err == nil && info.IsDir() {
			p.path = filepath.Join(p.path, "orders.db")
		}
		return p, nil
	case name == "mongodb:" && !c.UsesMongoDB():
		return p, cli.UsageError{Err: fmt.Errorf("%s is mongodb:, but neither MONGO_URI nor MONGO_HOST says where that is", flag)}
	case name == "mongodb:":
		p.settings, p.server, err = mongoConfig(c, nil)
		return p, err
	case strings.HasPrefix(name, "mongodb://"), strings.HasPrefix(name, "mongodb+srv://"):
		p.server = mongoServer(c)
		p.server.URI, p.server.URIName = name, flag
		p.server.SignInURI = false // the secret is of the server that the settings name
	default:
		return p, cli.UsageError{Err: fmt.Errorf("%s names no store: give sqlite:PATH or mongodb://HOST/DATABASE", flag)}
	}
	p.settings, err = mongoConfigOf(c, p.server)
	return p, err
}

// is reports whether two names are known to be of one store. Of two names of one server nothing is
// known; a copy of a store to itself finds everything there already.
func (p copyPlace) is(other copyPlace) bool {
	if p.String() == other.String() {
		return true
	}
	if p.path == "" || other.path == "" {
		return false
	}
	here, err := os.Stat(p.path)
	if err != nil {
		return false
	}
	there, err := os.Stat(other.path)
	return err == nil && os.SameFile(here, there)
}

// mustBeThere keeps a source that is not there from being made.
func (p copyPlace) mustBeThere() error {
	if p.path == "" {
		return nil
	}
	if info, err := os.Stat(p.path); err != nil || info.Size() == 0 {
		return cli.UsageError{Err: fmt.Errorf("there is no store %s to copy from: check the path", p)}
	}
	return nil
}

// open opens the store. The indexes of a source are left as they are.
func (p copyPlace) open(ctx context.Context, asSource bool) (copyStore, error) {
	if p.path != "" {
		store, err := sqlite.Open(sqlite.Config{Path: p.path})
		if fault.Of(err).Code == "store_in_use" {
			return nil, errors.New("another process has it open: stop the service, then copy")
		}
		if err != nil {
			return nil, err // and no typed nil
		}
		return store, nil
	}
	p.settings.MustBeThere = true
	p.settings.KeepIndexes = p.settings.KeepIndexes || asSource
	store, err := mongo.Open(ctx, p.settings)
	if err != nil {
		return nil, err
	}
	return store, nil
}
