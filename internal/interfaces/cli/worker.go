package cli

import "github.com/spf13/cobra"

func newWorker(commands Commands, streams Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Take commands from a queue and apply them to orders",
		Long: `Take what other systems say of orders (that one was paid, sent or delivered, or should be
canceled) from the SQS queue COMMANDS_QUEUE_URL, and apply it. The changes are told as those
of the REST API are. Health checks are answered under /health at HOST and PORT.

SIGTERM or SIGINT (Ctrl-C) stops it in good order: it takes no new messages, finishes those
under way and gives the others back. docs/commands.md has the messages and what becomes of
those that can't be applied.`,
		Example: `  COMMANDS_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/orders-commands orders worker
  COMMANDS_CONCURRENCY=50 orders worker --port 8001`,
		Args: noArguments,
	}
	overrides := settingFlags(cmd, "HOST", "PORT", "DATA_DIR")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return commands.Worker(cmd.Context(), streams, ServeOptions{Overrides: overrides()})
	}
	return cmd
}
