// Command mongoauth serves an empty MongoDB that asks who calls: FerretDB with SCRAM-SHA-256 and one user, on 127.0.0.1 and
// a free port. It prints the connection string, without the user, and ends with its standard input or on SIGTERM.
//
// It is there to try sign-in, and for nothing else: FerretDB's updates are not atomic.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/internal/clientconn"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler/registry"
	"github.com/FerretDB/FerretDB/internal/util/password"
	"github.com/FerretDB/FerretDB/internal/util/state"
)

// setupLimit bounds how long making the user may take.
const setupLimit = 30 * time.Second

func main() {
	user := flag.String("user", "orders", "the `name` of the one user")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // Only its end counts: the process that holds the other end is gone.
		stop()
	}()
	// An argument would be seen by everybody on the machine.
	if err := run(ctx, os.Stdout, *user, os.Getenv("MONGOAUTH_PASSWORD")); err != nil {
		fmt.Fprintln(os.Stderr, "mongoauth:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, and writes the connection string to out when it listens.
func run(ctx context.Context, out io.Writer, user, secret string) error {
	if user == "" || secret == "" {
		return errors.New("a user and MONGOAUTH_PASSWORD must be given: without, everybody would be let in")
	}
	dir, err := os.MkdirTemp("", "mongoauth")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	known, err := state.NewProvider("")
	if err != nil {
		return err
	}
	if err := known.Update(func(s *state.State) { s.DisableTelemetry(); s.TelemetryLocked = true }); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	metrics := connmetrics.NewListenerMetrics()
	const address = "127.0.0.1:0"
	handler, closeBackend, err := registry.NewHandler("sqlite", &registry.NewHandlerOpts{
		Logger:        logger,
		ConnMetrics:   metrics.ConnMetrics,
		StateProvider: known,
		TCPHost:       address,
		SetupDatabase: "admin", // where clients look for users unless they are told otherwise
		SetupUsername: user,
		SetupPassword: password.WrapPassword(secret),
		SetupTimeout:  setupLimit,
		SQLiteURL:     "file:" + dir + "/",
		TestOpts: registry.TestOpts{
			CappedCleanupPercentage: 10, // refused at 0
			EnableNewAuth:           true,
			BatchSize:               100,
			MaxBsonObjectSizeBytes:  16 << 20,
		},
	})
	if closeBackend != nil {
		defer closeBackend()
	}
	if err != nil {
		return err
	}
	listener, err := clientconn.Listen(&clientconn.NewListenerOpts{
		TCP: address, Mode: clientconn.NormalMode, Metrics: metrics, Handler: handler, Logger: logger,
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "mongodb://%s\n", listener.TCPAddr()); err != nil {
		return err
	}
	listener.Run(ctx)
	return nil
}
