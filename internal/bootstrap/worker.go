package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/aws/sqs"
	"order-processing-service/internal/infrastructure/telemetry"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/internal/interfaces/httpapi"
)

// OpenWorker makes the program behind the worker command: it takes commands from the queue, tells of the changes that it
// makes, and answers health checks. It is otherwise as Open has it.
func OpenWorker(ctx context.Context, c *config.Config, out io.Writer) (*Service, error) {
	if err := c.Unsafe(false, false); err != nil {
		return nil, cli.UsageError{Err: err}
	}
	return open(ctx, c, out, func(s *Service) (http.Handler, error) {
		account, err := awsAccount(ctx, s.log, s.tracer)
		if err != nil {
			return nil, err
		}
		queue := sqs.NewQueue(account, c.CommandsQueueURL)
		s.received = s.commands(account)
		s.metrics.ObserveCommands(s.received.Counts)
		s.worker = receiving.NewWorker(receiving.WorkerConfig{
			Queue: queue, Receive: s.tracer.Receiver(s.received.Receive), Ready: s.orders.Ready, Log: s.log,
			Concurrency: c.CommandsConcurrency, Visibility: c.CommandsVisibility, Timeout: c.RequestTimeout,
		})
		s.checks = append(s.checks, look{
			check: func(ctx context.Context) error {
				return queue.Check(ctx, c.CommandsDeadLetterQueueURL, c.CommandsEarlyReceives)
			},
		})
		health := httpapi.Config{Orders: s.orders, Log: telemetry.Patient(s.log), Version: Build().Version}
		return httpapi.NewHealth(health), nil //nolint:contextcheck // an exchange has that of its request
	})
}

// tallyEvery is how often the log is told what has become of commands, if any came.
const tallyEvery = time.Minute

// tally has the log told what has become of commands, until end is called, which tells it once more.
func tally(ctx context.Context, received *receiving.Service) (end func()) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ticker := time.NewTicker(tallyEvery)
	var telling sync.WaitGroup
	telling.Go(func() { received.LogCounts(ctx, ticker.C) })
	return sync.OnceFunc(func() {
		ticker.Stop()
		stop()
		telling.Wait()
	})
}

// work is the work behind the worker command.
func work(ctx context.Context, streams cli.Streams, o cli.ServeOptions) error {
	c, err := load(ctx, o.Overrides)
	if err != nil {
		return err
	}
	if c.CommandsQueueURL == "" {
		return cli.UsageError{Err: errors.New("COMMANDS_QUEUE_URL is not set: give the URL of the SQS queue to take commands from")}
	}
	return run(ctx, streams, c, OpenWorker, func(url, place string) string {
		return fmt.Sprintf("Taking commands from %s: health %s/health/ready, data in %s. Ctrl-C stops.\n", c.CommandsQueueURL, url, place)
	})
}
