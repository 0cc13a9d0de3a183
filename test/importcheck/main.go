// Command importcheck imports the whole real file of orders into an empty store with the built program, twice, and
// checks every number it reports: the first run makes the orders, the second must find them all there already. The store
// is an embedded one or, with -mongo, the empty database that MONGO_URI and MONGO_DB name.
//
// The file is the first part of "Online Retail" (Daqing Chen, 2015, UCI Machine Learning Repository, DOI
// 10.24432/C5BW33, license CC BY 4.0), gzipped CSV. It is too large to be kept in the repository; a small excerpt of it
// is tested with `go test ./...`.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/google/go-cmp/cmp"
)

// limit is how long one run of the import may take.
const limit = 10 * time.Minute

// report is what `orders import --output json` prints.
type report struct {
	OrdersRead     int               `json:"orders_read"`
	OrdersCreated  int               `json:"orders_created"`
	OrdersExisting int               `json:"orders_existing"`
	OrdersRejected int               `json:"orders_rejected"`
	LinesRead      int               `json:"lines_read"`
	LinesRejected  int               `json:"lines_rejected"`
	Totals         map[string]string `json:"totals"`
}

// first is what the file holds: 168,675 of its lines belong to orders that can be taken. The others have a negative
// quantity or no customer.
func first() report {
	return report{
		OrdersRead:     12_468,
		OrdersCreated:  8_590,
		OrdersRejected: 3_878,
		LinesRead:      240_007,
		LinesRejected:  240_007 - 168_675,
		Totals:         map[string]string{"GBP": "3888971.74"},
	}
}

// second is what is left to report when the orders are there: the same refusals, and nothing made.
func second() report {
	again := first()
	again.OrdersCreated, again.OrdersExisting, again.Totals = 0, again.OrdersCreated, map[string]string{}
	return again
}

func main() {
	program := flag.String("orders", "bin/orders", "the built program")
	file := flag.String("file", "", "the file to import")
	mongo := flag.Bool("mongo", false, "import into the database that MONGO_URI and MONGO_DB name")
	flag.Parse()
	if *mongo && os.Getenv("MONGO_URI") == "" {
		fmt.Fprintln(os.Stderr, "importcheck: -mongo needs MONGO_URI")
		os.Exit(2)
	}
	if err := check(context.Background(), *program, *file, *mongo); err != nil {
		fmt.Fprintln(os.Stderr, "importcheck:", err)
		os.Exit(1)
	}
}

// check imports the file twice into one new store.
func check(ctx context.Context, program, file string, mongo bool) (err error) {
	program, err = filepath.Abs(program)
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	file, err = filepath.Abs(file)
	if err != nil {
		return fmt.Errorf("find the file: %w", err)
	}
	dir, err := os.MkdirTemp("", "importcheck")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for i, want := range []report{first(), second()} {
		started := time.Now()
		got, err := importFile(ctx, program, file, dir, mongo)
		if err != nil {
			return fmt.Errorf("run %d: %w", i+1, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("run %d reports other numbers (-want +got):\n%s", i+1, diff)
		}
		fmt.Printf("run %d: every number is right, in %s\n", i+1, time.Since(started).Round(time.Millisecond))
	}
	return nil
}

// importFile runs the program once, in dir, and reads its report.
func importFile(ctx context.Context, program, file, dir string, mongo bool) (report, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "import",
		"--column", "reference=InvoiceNo", "--column", "customer_id=CustomerID", "--column", "sku=StockCode",
		"--column", "name=Description", "--column", "quantity=Quantity", "--column", "unit_price=UnitPrice",
		"--column", "placed_at=InvoiceDate", "--column", "metadata.country=Country", "--currency", "GBP",
		"--date-layout", "1/2/06 15:04", "--time-zone", "Europe/London",
		"--rejects", filepath.Join(dir, "rejects.csv"), "--output", "json", file)
	var output bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &output, os.Stderr
	cmd.Env = append(os.Environ(), "DATA_DIR="+filepath.Join(dir, "data"), "LOG_LEVEL=WARNING")
	if !mongo {
		cmd.Env = append(cmd.Env, "MONGO_HOST=", "MONGO_URI=")
	}
	if err := cmd.Run(); err != nil {
		return report{}, fmt.Errorf("run the import: %w", err)
	}
	var got report
	decoder := json.NewDecoder(&output)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		return report{}, fmt.Errorf("read the report: %w", err)
	}
	if got.Totals == nil {
		got.Totals = map[string]string{}
	}
	return got, nil
}
