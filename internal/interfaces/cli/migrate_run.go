package cli

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RoundedPrice is a price that was finer than its currency allows.
type RoundedPrice struct {
	Line int    `json:"line"` // from 1
	Was  string `json:"was"`
	Is   string `json:"is"`
}

// MigrateFinding is what there is to say of one document.
type MigrateFinding struct {
	ID      string         `json:"id"`
	Rounded []RoundedPrice `json:"rounded,omitempty"`
	Reason  string         `json:"reason,omitempty"` // why it can't be converted; "" if it can
}

// MigrateSummary is what a migration came to.
type MigrateSummary struct {
	Migrated    int64 `json:"migrated"` // or, in a dry run, to be migrated
	There       int64 `json:"there_already"`
	Rounded     int64 `json:"prices_rounded"`
	Unconverted int64 `json:"not_converted"`
}

// MigrateProgress is how far a migration is.
type MigrateProgress struct {
	Done    int64 // documents that were looked at
	Total   int64 // about how many there are
	Trouble error // why nothing moves right now and is tried again, or nil
}

// Migration does the work: it tells found of every document that there is something to say of and
// progress, again and again, how far it is. What was done before an error is told beside it.
type Migration func(
	ctx context.Context, dryRun bool, found func(MigrateFinding) error, progress func(MigrateProgress),
) (MigrateSummary, error)

// RunMigrate runs a migration, shows how far it is on streams.Err and writes the report to streams.Out:
// findings as they are made, so that any number of them takes no memory, and figures at the end.
func RunMigrate(ctx context.Context, streams Streams, o MigrateOptions, migrate Migration, now func() time.Time) error {
	verb := "migrated"
	if o.DryRun {
		verb = "looked at"
	}
	progress := newCountProgress(streams.Err, verb, "documents", now)
	report := newMigrateReport(streams.Out, o)
	var unheard error // the report can't be written
	summary, err := migrate(ctx, o.DryRun, func(f MigrateFinding) error {
		progress.clear()
		unheard = report.finding(f)
		return unheard
	}, progress.show)
	progress.end()
	if unheard != nil {
		return migrateError(o, unheard)
	}
	return errors.Join(report.end(summary), migrateError(o, err))
}

// migrateError says why a migration did not finish, and what to do.
func migrateError(o MigrateOptions, err error) error {
	if errors.Is(err, context.Canceled) {
		err = errors.New("it was stopped")
	}
	switch {
	case err == nil:
		return nil
	case o.DryRun:
		return fmt.Errorf("the dry run did not finish; nothing was written: %w", err)
	default:
		return fmt.Errorf("the migration did not finish; run it again, and it goes on: %w", err)
	}
}
