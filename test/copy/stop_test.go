//go:build unix

package copy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"order-processing-service/test/mongodb"
	"order-processing-service/test/process"
)

// many orders are forty pages, which take far longer than it takes to see the first of them.
const many = 20_000

func TestStoppedCopyToSQLiteGoesOn(t *testing.T) {
	to := onSQLite(t)
	path := filepath.Join(to.dir, "data", "orders.db")
	stopAndGoOn(t, to, func() {}, func() (n int, err error) {
		db, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READWRITE)
		if err != nil {
			return 0, nil // it is not there yet
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		if err := db.BusyTimeout(patience); err != nil {
			return 0, err
		}
		count, _, err := db.Prepare("SELECT count(*) FROM orders")
		if err != nil {
			return 0, nil
		}
		defer func() { err = errors.Join(err, count.Close()) }()
		if count.Step() {
			n = count.ColumnInt(0)
		}
		return n, count.Err()
	})
}

func TestStoppedCopyToMongoDBGoesOn(t *testing.T) {
	server := mongodb.Need(t)
	network, uri := server.Proxied(t)
	database := server.Database(t)
	orders := database.Collection("orders")
	// The server lives on: it may do what it was asked for when nobody waits for the answer.
	quiet := func() {
		process.Await(t, "the connections to end", func() bool { return network.Connections() == 0 })
	}
	stopAndGoOn(t, onDatabase(t, uri, database.Name()), quiet, func() (int, error) { return countOrders(t.Context(), orders) })
}

func countOrders(ctx context.Context, orders *mongo.Collection) (int, error) {
	n, err := orders.CountDocuments(ctx, bson.D{})
	return int(n), err
}

// stopAndGoOn interrupts a copy that has copied something, looks at what it says and leaves, and runs it again. It counts what
// is left when, after quiet, nothing that the copy has asked for is under way any more.
func stopAndGoOn(t *testing.T, to place, quiet func(), count func() (int, error)) {
	t.Helper()
	from := onSQLite(t)
	file := filepath.Join(from.dir, "orders.ndjson")
	var lines bytes.Buffer
	for i := range many {
		fmt.Fprintf(&lines, `{"reference":"N-%d","customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":1}]}`+"\n", i)
	}
	if err := errors.Join(
		os.WriteFile(file, lines.Bytes(), 0o600), os.Mkdir(filepath.Join(from.dir, "data"), 0o700), os.MkdirAll(filepath.Join(to.dir, "data"), 0o700),
	); err != nil {
		t.Fatal(err)
	}
	if r := run(t, from.dir, nil, "import", file); r.code != 0 {
		t.Fatalf("import: exit code %d\n%s", r.code, r.err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := command(ctx, from.dir, nil, "copy", "--from", from.name, "--to", to.name)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitSome(ctx, t, count)
	// It stands still while it is interrupted, so that it has not ended by then.
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGINT, syscall.SIGCONT} {
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	stopped := ended(t, cmd.Wait(), &out, &errs)
	quiet()
	n, err := count()
	if err != nil || n == 0 || n == many {
		t.Fatalf("%d of %d orders are there (%v)\n%s", n, many, err, stopped.err)
	}
	if stopped.code != 1 || stopped.out != "" || !strings.Contains(stopped.err, "run it again, and it goes on: it was stopped\n") {
		t.Errorf("a copy that was stopped: %+v", stopped)
	}
	t.Logf("it was stopped at %d of %d orders", n, many)

	copyAll(t, from, to, report{Read: many, Copied: many - n, Existing: n})
	if export(t, from) != export(t, to) {
		t.Error("the export of the copy differs")
	}
}

// export is every order of a place.
func export(t *testing.T, p place) string {
	t.Helper()
	s := p.serve(t)
	defer s.stop(t)
	return s.ask(t, http.MethodGet, "/orders/export", "", "").body
}

// awaitSome waits until something is there.
func awaitSome(ctx context.Context, t *testing.T, count func() (int, error)) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		n, err := count()
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("nothing is copied")
		}
	}
}
