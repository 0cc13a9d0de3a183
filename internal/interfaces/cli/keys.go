package cli

import (
	"github.com/spf13/cobra"
)

// KeyOptions is what the command that makes an API key was told.
type KeyOptions struct {
	Name     string
	Scopes   []string
	Customer string // "" for all
	JSON     bool
}

func newKeys(commands Commands, streams Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make API keys for machines",
		Long: `Make API keys for machines that have no identity provider. A key is sent in the header
X-Api-Key. The service reads what it needs to know of keys from API_KEYS_FILE.`,
		Example: `  orders keys new --name shop --scope orders:write`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usagef("unknown command %q; see '%s --help'", args[0], cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNewKey(commands, streams))
	return cmd
}

func newNewKey(commands Commands, streams Streams) *cobra.Command {
	var options KeyOptions
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make an API key",
		Long: `Make an API key, and print it with its entry for API_KEYS_FILE. That file is a JSON list of
such entries: [ENTRY, ENTRY]. The service reads it again when it changes.

The key is shown this once and kept nowhere; the entry has its SHA-256 only. To take a key
back, take its entry out of the file.`,
		Example: `  orders keys new --name shop --scope orders:read --scope orders:write
  orders keys new --name c-42-shop --scope orders:write --customer c-42
  (umask 077; orders keys new --name ops --scope orders:admin --output json > new.json)
  jq -r .key new.json && jq '[.entry]' new.json > keys.json && rm new.json`,
		Args: noArguments,
	}
	cmd.Flags().StringVar(&options.Name, "name", "", "`name` of the machine, as timelines, events and logs will have it")
	scopeFlag(cmd, &options.Scopes, "")
	cmd.Flags().StringVar(&options.Customer, "customer", "", "the one `customer` whose orders the key is for (default all)")
	wantJSON := outputFlag(cmd)
	for _, name := range []string{"name", "scope"} {
		_ = cmd.MarkFlagRequired(name) // the flag is there
	}
	cmd.RunE = func(*cobra.Command, []string) error {
		options.JSON = wantJSON()
		return commands.NewKey(streams, options)
	}
	return cmd
}
