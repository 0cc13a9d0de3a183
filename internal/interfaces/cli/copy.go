package cli

import (
	"github.com/spf13/cobra"
)

// CopyOptions is what the copy command was told.
type CopyOptions struct {
	// Overrides are values of settings that flags gave, by variable name. They win over the environment.
	Overrides map[string]string

	// From and To name stores, as people write them. A name may hold a password: it is never shown.
	From, To string
	JSON     bool // report as JSON
}

func newCopy(commands Commands, streams Streams) *cobra.Command {
	var options CopyOptions
	cmd := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Copy all orders from one store to another",
		Long: `Copy every order, with its history and with who has been told of it, from one store to
another. A STORE is one of

  sqlite:PATH                     an SQLite file, or the data folder that holds it
  sqlite:                         the embedded store under DATA_DIR
  mongodb://HOST/DATABASE         a MongoDB database; without a name, that of MONGO_DB
  mongodb:                        the MongoDB that MONGO_URI or MONGO_HOST names

Stop the services on both stores before: an SQLite file that one has open is refused, a
MongoDB can't tell. What is at the destination already is compared and never written
over, so a copy that was interrupted is just run again, and a second run proves the
first. Exits 0 when every order is there as it is in the source, 1 when the copy could
not finish or some orders differ, 2 when a STORE can't be meant. docs/moving.md has more.`,
		Example: `  orders copy --from sqlite: --to mongodb://db.example:27017/orders_db
  orders copy --from mongodb: --to sqlite:backup/orders.db --output json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 { // which may hold a password
				return usagef("'%s' takes no arguments: name the stores with --from and --to; see '%[1]s --help'", cmd.CommandPath())
			}
			return nil
		},
	}
	// The flags take any text: an error of the flag itself would show it.
	cmd.Flags().StringVar(&options.From, "from", "", "`STORE` to copy from")
	cmd.Flags().StringVar(&options.To, "to", "", "`STORE` to copy to")
	overrides := settingFlags(cmd, "DATA_DIR")
	wantJSON := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		options.Overrides, options.JSON = overrides(), wantJSON()
		if options.From == "" || options.To == "" {
			return usagef("name both stores, with --from and --to; see '%s --help'", cmd.CommandPath())
		}
		return commands.Copy(cmd.Context(), streams, options)
	}
	return cmd
}
