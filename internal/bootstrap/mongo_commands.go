package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/internal/interfaces/cli"
)

// migrate is the work behind the migrate command.
func migrate(ctx context.Context, streams cli.Streams, o cli.MigrateOptions) (err error) {
	c, err := load(ctx, nil)
	if err != nil {
		return err
	}
	if !c.UsesMongoDB() {
		return cli.UsageError{Err: errors.New("the settings name no MongoDB: set MONGO_HOST or MONGO_URI to say where the documents are")}
	}
	settings, _, err := mongoConfig(c, nil)
	if err != nil {
		return err
	}
	settings.MustBeThere = true
	settings.KeepIndexes = true // they are the service's to make
	store, err := mongo.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }() //nolint:contextcheck // it is closed also when ctx has ended
	return cli.RunMigrate(ctx, streams, o, migrationOf(store), time.Now)
}

// migrationOf puts the store's migration into the command's terms.
func migrationOf(store *mongo.Store) cli.Migration {
	return func(
		ctx context.Context, dryRun bool, found func(cli.MigrateFinding) error, progress func(cli.MigrateProgress),
	) (cli.MigrateSummary, error) {
		m, err := store.Migrate(ctx, mongo.MigrateOptions{
			DryRun:   dryRun,
			Progress: func(p mongo.Progress) { progress(cli.MigrateProgress(p)) },
			Found: func(f mongo.Finding) error {
				told := cli.MigrateFinding{ID: f.ID, Reason: f.Reason}
				for _, r := range f.Rounded {
					told.Rounded = append(told.Rounded, cli.RoundedPrice{Line: r.Line, Was: r.Was, Is: r.Is})
				}
				return found(told)
			},
		})
		return cli.MigrateSummary(m), err
	}
}

// indexes is the work behind the indexes command. It asks no server of MongoDB.
func indexes(ctx context.Context, streams cli.Streams) error {
	c, err := load(ctx, nil)
	if err != nil {
		return err
	}
	settings, _, err := mongoConfig(c, nil)
	if err != nil {
		return err
	}
	// Unlike 'use', this is JavaScript, so that a file of it will do too.
	var text strings.Builder
	fmt.Fprintf(&text, "db = db.getSiblingDB(%q)\n", settings.Database)
	for _, index := range mongo.Indexes() {
		fmt.Fprintf(&text, "// %s\n%s\n", index.For, index.Command())
	}
	if _, err := io.WriteString(streams.Out, text.String()); err != nil {
		return fmt.Errorf("write the indexes: %w", err)
	}
	return nil
}
