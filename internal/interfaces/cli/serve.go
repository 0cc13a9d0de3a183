package cli

import "github.com/spf13/cobra"

// ServeOptions is what the serve or the worker command was told.
type ServeOptions struct {
	// Overrides are values of settings that flags gave, by variable name. They win over the environment.
	Overrides map[string]string
}

func newServe(commands Commands, streams Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service until it is told to stop",
		Long: `Run the service: the REST API, its documentation under /docs, and the telling of events.

Orders are kept in the data folder. SIGTERM or SIGINT (Ctrl-C) stops the service in good
order: it takes no new requests, finishes those under way and closes the store. A second
signal ends it at once; no acknowledged order is lost by that.`,
		Example: `  orders serve
  orders serve --port 9000 --data-dir /var/lib/orders
  LOG_LEVEL=DEBUG HOST=0.0.0.0 orders serve`,
		Args: noArguments,
	}
	overrides := settingFlags(cmd, "HOST", "PORT", "DATA_DIR")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return commands.Serve(cmd.Context(), streams, ServeOptions{Overrides: overrides()})
	}
	return cmd
}
