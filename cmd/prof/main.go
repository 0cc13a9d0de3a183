package main

import (
	"context"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
)

func main() {
	go http.ListenAndServe("127.0.0.1:6060", nil)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(cli.Run(ctx, bootstrap.Commands(), os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
