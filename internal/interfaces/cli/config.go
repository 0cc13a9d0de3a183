package cli

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// Setting is one setting in force. Secrets come masked.
type Setting struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	Source      string `json:"source"` // for people, for example "environment"
	Default     string `json:"default"`
	Allowed     string `json:"allowed"`
	Description string `json:"description"`
	Secret      bool   `json:"secret"`
}

func newConfig(commands Commands, streams Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "List every setting in force and where it comes from",
		Long: `List every setting in force and where its value comes from, secrets masked.

A setting is looked for among the flags, then the environment, then the .env file in the
working directory, where NAME_FILE names a file that holds the value, and last in the secrets
that MONGO_SECRET_ID and SECRETS_ID name. With --output json each
setting also has its default, what it allows and what it is for.`,
		Example: `  orders config
  PORT=9000 orders config
  orders config --output json`,
		Args: noArguments,
	}
	overrides := settingFlags(cmd, "HOST", "PORT", "DATA_DIR")
	wantJSON := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		settings, err := commands.Settings(cmd.Context(), overrides())
		if err != nil {
			return err
		}
		if wantJSON() {
			return printJSON(streams.Out, struct {
				Settings []Setting `json:"settings"`
			}{settings})
		}
		return printSettings(streams.Out, settings)
	}
	return cmd
}

func printSettings(w io.Writer, settings []Setting) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tFROM")
	for _, s := range settings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, oneLine(s.Value), oneLine(s.Source))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

// oneLine quotes a text that would break the table.
func oneLine(text string) string {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return strconv.Quote(text)
		}
	}
	return text
}

func printJSON(w io.Writer, value any) error {
	text, err := json.Marshal(value, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode the output: %w", err)
	}
	fmt.Fprintln(w, string(text))
	return nil
}
