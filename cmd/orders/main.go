// Command orders is the Order Processing Service: the server and the tools around it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones for machines and images that have none

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	streams := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	os.Exit(cli.Run(ctx, bootstrap.Commands(), bootstrap.Arguments(os.Args[1:]), streams))
}
