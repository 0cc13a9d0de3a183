// Command scratch runs a command beside an empty database of the MongoDB server that TEST_MONGO_URI names, which the command
// finds in MONGO_URI and MONGO_DB, and drops the database when the command has ended.
//
//	go run ./test/scratch test/schemathesis/run.sh bin/orders
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// dropLimit is how long it may take to drop the database.
const dropLimit = 30 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "scratch:", err)
		os.Exit(1)
	}
}

func run(command []string) (err error) {
	uri := os.Getenv("TEST_MONGO_URI")
	if uri == "" || len(command) == 0 {
		return errors.New("give a command, and a MongoDB server in TEST_MONGO_URI")
	}
	// The command gets what a terminal sends too. Whatever ends it, the database goes.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	database := client.Database("test_" + strings.ToLower(rand.Text()))
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropLimit)
		defer cancel()
		err = errors.Join(err, database.Drop(ctx), client.Disconnect(ctx))
	}()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // running what it is told is what it is for
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "MONGO_URI="+uri, "MONGO_DB="+database.Name())
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	return nil
}
