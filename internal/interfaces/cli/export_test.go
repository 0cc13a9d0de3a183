package cli

import (
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
