// Package e2e_test drives the real program, put together by package bootstrap, over HTTP on a free port: every operation
// and every class of errors, on each store.
//
// Scenarios are values: requests in a row, each with what must and must not come back. Whatever a scenario does, the
// harness holds every answer against /openapi.json, and when it ends: each order's timeline has no gaps, each event was
// told once it was due and in sequence, each manifest is the order as it is read, each request has its log line, and no
// customer's data is in any line but the simulated calls themselves.
package e2e_test

import (
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/test/proxy"
)

// store is a way of keeping orders that the program is tried on. All of them must pass the same scenarios.
type store struct {
	name string
	// settings has the program keep its orders in a place that nothing else uses; dir is the test's own folder.
	settings func(t *testing.T, dir string) map[string]string
	// lose takes the place away from the running program, until the returned function gives it back.
	lose func(t *testing.T, dir string) (giveBack func())
	// network is what lies between the program and the place; nil if nothing does.
	network func(t *testing.T, dir string) *proxy.Proxy
}

func stores() []store {
	return []store{
		{
			name:     "embedded",
			settings: func(*testing.T, string) map[string]string { return nil },
			lose:     lockFile,
		},
		onMongoDB(),
	}
}

// lockFile holds the write lock of the embedded store's file, as another program could.
func lockFile(t *testing.T, dir string) (unlock func()) {
	t.Helper()
	db, err := sqlite3.Open(filepath.Join(dir, "orders.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Exec("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := db.Exec("ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
