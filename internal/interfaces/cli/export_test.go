package cli

import (
	"context"
	"io"
	"time"

	"order-processing-service/internal/application/importing"
)

// Progress returns the functions that show and end an import's progress, as on a terminal or not.
func Progress(w io.Writer, terminal bool, size int64, now func() time.Time) (show func(importing.Progress), end func()) {
	p := newImportProgress(w, size, now)
	p.terminal = terminal
	return p.show, p.end
}

// CountProgress returns the functions that show, clear and end the progress of a migration, as on a terminal or not.
func CountProgress(w io.Writer, terminal bool, now func() time.Time) (show func(MigrateProgress), wipe, end func()) {
	p := newCountProgress(w, "migrated", "documents", now)
	p.terminal = terminal
	return p.show, p.clear, p.end
}

// StatusRun runs the status command with a clock: a pause takes the time that wait says.
func StatusRun(
	ctx context.Context, streams Streams, url string, json bool, watch time.Duration, now func() time.Time, wait func(context.Context, time.Duration) error,
) error {
	s := statusRun{streams: streams, url: url, json: json, watch: watch, now: now, wait: wait}
	return s.run(ctx)
}
