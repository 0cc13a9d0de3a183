package bootstrap

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/aws"
	"order-processing-service/internal/infrastructure/aws/sqs"
	"order-processing-service/internal/interfaces/cli"
)

// deadLetterQueue is the queue that the settings name. It needs no store.
func deadLetterQueue(ctx context.Context) (*sqs.DeadLetters, *config.Config, error) {
	c, err := load(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	if c.CommandsQueueURL == "" && c.CommandsDeadLetterQueueURL == "" {
		return nil, nil, cli.UsageError{Err: errors.New("set COMMANDS_QUEUE_URL, the SQS queue of the commands, or COMMANDS_DEAD_LETTER_QUEUE_URL")}
	}
	account, err := aws.Load(ctx, ServiceName, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	return sqs.NewDeadLetters(sqs.DeadLettersConfig{AWS: account, URL: c.CommandsDeadLetterQueueURL, QueueURL: c.CommandsQueueURL}), c, nil
}

// deadLetters is the work behind the dlq list command.
func deadLetters(ctx context.Context, limit int) ([]cli.DeadLetter, bool, error) {
	queue, _, err := deadLetterQueue(ctx)
	if err != nil {
		return nil, false, err
	}
	found, more, err := queue.List(ctx, limit)
	letters := make([]cli.DeadLetter, len(found))
	for i := range found {
		letters[i] = deadLetter(&found[i])
	}
	return letters, more, err
}

func deadLetter(l *sqs.Letter) cli.DeadLetter {
	d := cli.DeadLetter{
		ID: l.ID, LetterID: l.LetterID, Reason: l.Reason.Code, ReasonText: l.Reason.Text, Group: l.Group, SentAt: l.SentAt, Body: string(l.Body),
	}
	command, _ := wire.DecodeCommand(l.Body) // what can be read of it
	if slices.Contains(order.ReportTypes(), command.Report.Type) {
		d.Type = string(command.Report.Type)
	}
	if !command.OrderID.IsZero() {
		d.Order = command.OrderID.String()
	}
	return d
}

// redriveDeadLetters is the work behind the dlq redrive command.
func redriveDeadLetters(ctx context.Context, o cli.RedriveOptions) (cli.Redriven, error) {
	queue, c, err := deadLetterQueue(ctx)
	if err == nil && c.CommandsQueueURL == "" {
		err = cli.UsageError{Err: errors.New("COMMANDS_QUEUE_URL is not set: give the URL of the SQS queue to send the messages to")}
	}
	if err != nil {
		return cli.Redriven{}, err
	}
	done, err := queue.Redrive(ctx, sqs.Redrive{QueueURL: c.CommandsQueueURL, IDs: o.IDs, Most: o.Limit, DryRun: o.DryRun})
	return cli.Redriven(done), err
}
