package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// absentError names what this machine lacks: the row is left out, and the run is none the worse.
type absentError string

func (e absentError) Error() string { return string(e) }

const (
	importLimit  = 10 * time.Minute
	importRounds = 3
	maxPlain     = 4 << 30 // bytes of the file once it is unpacked
)

// measureImport compares the import of the whole real file with that of the sqlite3 program, which keeps the lines as
// they are. Each has new folders in each round. The file is unpacked for sqlite3 beforehand; the service unpacks it itself.
func (b *bench) measureImport(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	sqlite, err := exec.LookPath("sqlite3")
	if err != nil {
		return absentError("the sqlite3 program is not in PATH")
	}
	file, err := filepath.Abs(b.importFile)
	if err != nil {
		return fmt.Errorf("find the file to import: %w", err)
	}
	if _, err := os.Stat(file); err != nil {
		return absentError("the file is not there")
	}
	if err := exec.CommandContext(ctx, b.program, "import", "--help").Run(); err != nil {
		return absentError("the program has no import command")
	}
	plain := b.path("lines")
	if err := unpack(file, plain); err != nil {
		return err
	}
	var ours, theirs figures
	var last imported
	for n := range min(b.rounds, importRounds) {
		reference, lines, err := b.importWithSQLite(ctx, sqlite, plain)
		if err != nil {
			return err
		}
		took, found, err := b.importFileOnce(ctx, file)
		if err != nil {
			return err
		}
		if found.LinesRead != lines || found.OrdersCreated == 0 {
			return fmt.Errorf("sqlite3 has %d lines, the import read %d and created %d orders", lines, found.LinesRead, found.OrdersCreated)
		}
		b.sayf("import, round %d: sqlite3 %s, service %s", n+1, millis(reference), millis(took))
		theirs, ours = append(theirs, reference.Seconds()), append(ours, took.Seconds())
		last = found
	}
	b.report.set(rowImport, ours.over(theirs))
	b.report.note(fmt.Sprintf("`orders import` of %s lines, %s orders created", grouped(last.LinesRead), grouped(last.OrdersCreated)),
		fmt.Sprintf("%.2f s", ours.median()))
	b.report.note("`sqlite3 .import` of the same lines", fmt.Sprintf("%.2f s", theirs.median()))
	return nil
}

// unpack writes what a gzip file holds.
func unpack(file, plain string) (err error) {
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer in.Close() //nolint:errcheck // only read
	reader, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	out, err := os.Create(plain)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, io.LimitReader(reader, maxPlain)); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return nil
}

// importWithSQLite imports into a new database, and returns how many lines are in it afterwards.
func (b *bench) importWithSQLite(ctx context.Context, sqlite, plain string) (took time.Duration, lines int, err error) {
	database := b.path("sqlite")
	cmd := exec.CommandContext(ctx, sqlite, "-batch", database)
	cmd.Dir, cmd.Stdin = b.dir, strings.NewReader(".mode csv\n.import "+filepath.Base(plain)+" lines\n")
	started := time.Now()
	if output, err := cmd.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("sqlite3: %w: %.300s", err, output)
	}
	took = time.Since(started)
	output, err := exec.CommandContext(ctx, sqlite, "-batch", database, "SELECT count(*) FROM lines").Output()
	if err != nil {
		return 0, 0, fmt.Errorf("count with sqlite3: %w", err)
	}
	if lines, err = strconv.Atoi(strings.TrimSpace(string(output))); err != nil {
		return 0, 0, fmt.Errorf("count with sqlite3: %w", err)
	}
	return took, lines, nil
}

// imported is what is looked at of the program's report.
type imported struct {
	OrdersCreated int `json:"orders_created"`
	LinesRead     int `json:"lines_read"`
}

// importFileOnce imports into a new store.
func (b *bench) importFileOnce(ctx context.Context, file string) (took time.Duration, found imported, err error) {
	cmd := exec.CommandContext(ctx, b.program, "import",
		"--column", "reference=InvoiceNo", "--column", "customer_id=CustomerID", "--column", "sku=StockCode",
		"--column", "quantity=Quantity", "--column", "unit_price=UnitPrice", "--column", "name=Description",
		"--column", "placed_at=InvoiceDate", "--column", "metadata.country=Country", "--currency", "GBP",
		"--date-layout", "1/2/06 15:04", "--time-zone", "Europe/London", "--output", "json", file)
	var output, complaints bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, &output, &complaints
	cmd.Env = append(b.environment(), "DATA_DIR="+b.path("import"), "LOG_LEVEL="+b.logLevel)
	started := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, found, fmt.Errorf("import: %w: %.300s", err, complaints.String())
	}
	took = time.Since(started)
	if err := json.Unmarshal(output.Bytes(), &found); err != nil {
		return 0, found, fmt.Errorf("read the report of the import: %w", err)
	}
	return took, found, nil
}
