package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// MigrateOptions is what the migrate command was told.
type MigrateOptions struct {
	DryRun bool // look at everything, write nothing
	JSON   bool // report as JSON
}

func newMongo(commands Commands, streams Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mongo",
		Short: "Look after orders that are kept in MongoDB",
		Long: `Look after orders that are kept in MongoDB: take over those of the FastAPI service, and
print the indexes. Set MONGO_HOST or MONGO_URI to say which server.`,
		Example: `  orders mongo migrate --dry-run      see what a migration would do
  orders mongo migrate                rewrite the documents of the FastAPI service
  orders mongo indexes                print the indexes as commands of mongosh`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				return usagef("unknown command %q; did you mean '%s %s'?", args[0], cmd.CommandPath(), strings.Join(near, "' or '"+cmd.CommandPath()+" "))
			}
			return usagef("unknown command %q; see '%s --help'", args[0], cmd.CommandPath())
		},
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newMigrate(commands, streams), newIndexes(commands, streams))
	return cmd
}

func newMigrate(commands Commands, streams Streams) *cobra.Command {
	var options MigrateOptions
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Rewrite the documents of the FastAPI service",
		Long: `Rewrite the documents that the FastAPI service kept in the form of this one, and report what
was rounded and what could not be converted, which stays as it is.

The service reads and changes those documents without it too. It may run beside the
service, be stopped, and be run again. The FastAPI service can't read an order that is
rewritten: stop it first; docs/predecessor.md has the way back.
It exits 0 also when some documents could not be converted, 1 when it could not finish.`,
		Example: `  orders mongo migrate --dry-run
  orders mongo migrate > report.txt
  MONGO_HOST=db.example MONGO_USER= orders mongo migrate --output json`,
		Args: noArguments,
	}
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "look at everything, write nothing")
	wantJSON := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		options.JSON = wantJSON()
		return commands.Migrate(cmd.Context(), streams, options)
	}
	return cmd
}

func newIndexes(commands Commands, streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "indexes",
		Short: "Print the indexes as commands of mongosh",
		Long: `Print the indexes that lists and deliveries need, as commands of the MongoDB shell, each below
what it is for. The service makes them itself when it starts, where it may.`,
		Example: `  orders mongo indexes
  orders mongo indexes | mongosh mongodb://db.example`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return commands.Indexes(cmd.Context(), streams) },
	}
}
