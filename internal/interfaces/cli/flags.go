package cli

import (
	"errors"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settingUsage describes the settings that commands take as flags too.
var settingUsage = map[string]string{
	"HOST":     "`address` to listen on (setting HOST)",
	"PORT":     "TCP `port` to listen on, 0 for any free one (setting PORT)",
	"DATA_DIR": "`folder` of the embedded store (setting DATA_DIR)",
}

// settingFlags gives a command flags for settings, named as these are: --data-dir for DATA_DIR. Values are checked with
// all other settings. The returned function tells what was given, by variable name.
func settingFlags(cmd *cobra.Command, variables ...string) func() map[string]string {
	name := func(variable string) string { return strings.ReplaceAll(strings.ToLower(variable), "_", "-") }
	for _, variable := range variables {
		cmd.Flags().String(name(variable), "", settingUsage[variable])
	}
	return func() map[string]string {
		values := make(map[string]string)
		for _, variable := range variables {
			if flag := cmd.Flags().Lookup(name(variable)); flag.Changed {
				values[variable] = flag.Value.String()
			}
		}
		return values
	}
}

// outputFlag gives a command --output text|json. The returned function tells whether JSON is wanted.
func outputFlag(cmd *cobra.Command) func() bool {
	json := false
	cmd.Flags().Func("output", "`form` of the output: text or json (default text)", func(value string) error {
		if value != "text" && value != "json" {
			return errors.New("give text or json")
		}
		json = value == "json"
		return nil
	})
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return func() bool { return json }
}

// urlFlag adds a flag for the base address of a service, which is like the example.
func urlFlag(flags *pflag.FlagSet, target *string, usage, example string) {
	flags.Func("url", usage, func(value string) error {
		u, err := url.Parse(value)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("give the address of a service, such as " + example)
		}
		*target = strings.TrimSuffix(value, "/")
		return nil
	})
}
