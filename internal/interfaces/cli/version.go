package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Build says what a program was made from.
type Build struct {
	Version   string `json:"version"`
	GoVersion string `json:"go_version"`
	Platform  string `json:"platform"`           // for example "linux/amd64"
	Commit    string `json:"commit,omitempty"`   // empty when not known
	Modified  bool   `json:"modified,omitempty"` // whether the source had changes beyond the commit
}

// String is one line for people.
func (b Build) String() string {
	details := []string{b.GoVersion, b.Platform}
	if b.Commit != "" {
		commit := "commit " + b.Commit
		if b.Modified {
			commit += " with changes"
		}
		details = append(details, commit)
	}
	return fmt.Sprintf("orders %s (%s)", b.Version, strings.Join(details, ", "))
}

func newVersion(commands Commands, streams Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Long:  "Show the program's version, the Go version and platform it was built with and for, and the commit if known.",
		Example: `  orders version
  orders version --output json`,
		Args: noArguments,
	}
	wantJSON := outputFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		if wantJSON() {
			return printJSON(streams.Out, commands.Build)
		}
		_, err := fmt.Fprintln(streams.Out, commands.Build)
		return err
	}
	return cmd
}
