// Package cli is the command line: it reads flags and arguments, has the work done, and turns the outcome into text and
// an exit code. What a command does is given to it as a function, so that the package knows no store, no configuration
// and no server.
//
// Standard output holds what was asked for; complaints go to standard error, a line each.
package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	ExitOK      = 0 // done
	ExitFailure = 1 // could not finish
	ExitUsage   = 2 // a wrong command, flag, value, file or setting
)

// Commands is the work behind the commands. A command whose function is nil is not offered.
//
// The functions get a context that ends when the program is told to stop, and return nil when they did what was asked;
// a UsageError says that the caller asked for something wrong.
type Commands struct {
	// Serve runs the service until the context ends, and returns nil if it then stopped in good order.
	Serve func(context.Context, Streams, ServeOptions) error
	// Worker takes commands from a queue until the context ends, and returns nil if it then stopped in good order.
	Worker func(context.Context, Streams, ServeOptions) error
	// Import reads orders from a file into the store or a running service, and writes its own report.
	Import func(context.Context, Streams, ImportOptions) error
	// Copy copies all orders from one store to another, and writes its own report.
	Copy func(context.Context, Streams, CopyOptions) error
	// Migrate rewrites the documents of the FastAPI service in MongoDB, and writes its own report. It comes with Indexes,
	// which prints the indexes of MongoDB.
	Migrate func(context.Context, Streams, MigrateOptions) error
	Indexes func(context.Context, Streams) error
	// NewKey makes an API key, and Token a development token; they print what they made.
	NewKey func(Streams, KeyOptions) error
	Token  func(context.Context, Streams, TokenOptions) error
	// DeadLetters lists commands that could not be applied, limit at most, and whether there are more. It comes with Redrive,
	// which sends them to the queue again and, beside an error, says how many it has sent.
	DeadLetters func(ctx context.Context, limit int) (letters []DeadLetter, more bool, err error)
	Redrive     func(context.Context, RedriveOptions) (Redriven, error)
	// Settings lists the configuration in force; overrides are values of settings by variable name.
	Settings func(ctx context.Context, overrides map[string]string) ([]Setting, error)
	// Target is how the service that this configuration describes is reached from this machine.
	Target func() (Target, error)
	// Admin is the URL of the admin address of the service that this configuration describes, as reached from this machine.
	Admin func() (string, error)
	// Build is what this program was made from.
	Build Build
}

// Target is how a service is reached.
type Target struct {
	URL string
	TLS *tls.Config // nil for what every program does
}

// Streams are the program's standard streams.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// UsageError is an error that the person at the command line can mend: it makes the program exit with ExitUsage.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap gives errors.Is and errors.As the cause.
func (e UsageError) Unwrap() error { return e.Err }

func usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// Run executes the command that args (without the program's name) ask for and returns the exit code. An error is told on
// streams.Err, each of its lines behind the program's name.
func Run(ctx context.Context, commands Commands, args []string, streams Streams) int {
	root := newRoot(commands, streams)
	root.SetArgs(append([]string{}, args...)) // nil would mean the test binary's own arguments
	working := false
	root.PersistentPreRun = func(*cobra.Command, []string) { working = true }

	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	if _, _, unknown := root.Find(args); unknown != nil {
		err = unknownCommand(root, args)
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(streams.Err, "orders: %s\n", strings.TrimSuffix(line, "\n"))
	}
	if _, ok := errors.AsType[UsageError](err); ok || !working { // what fails before the work is a wrong flag or argument
		return ExitUsage
	}
	return ExitFailure
}

func newRoot(commands Commands, streams Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "orders",
		Short: "Take orders, keep them safe and tell the world about every change",
		Long: `The Order Processing Service: takes orders over a REST API, keeps each one safe, and
tells the rest of the world about every change. "orders serve" needs nothing else.

Settings come from flags, environment variables or a .env file; "orders config" lists them.
Exit codes: 0 done, 1 could not finish, 2 wrong command, flag, value, file or setting.`,
		Example: `  orders serve                     start the service on http://127.0.0.1:8000
  orders import orders.csv.gz      bring in orders from a file
  orders config                    see every setting and where it comes from`,
		Version:                    commands.Build.Version,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetVersionTemplate(commands.Build.String() + "\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see '%s --help'", err, cmd.CommandPath())
	})
	if commands.Serve != nil {
		root.AddCommand(newServe(commands, streams))
	}
	if commands.Worker != nil {
		root.AddCommand(newWorker(commands, streams))
	}
	if commands.Import != nil {
		root.AddCommand(newImport(commands, streams))
	}
	if commands.Copy != nil {
		root.AddCommand(newCopy(commands, streams))
	}
	if commands.Migrate != nil && commands.Indexes != nil {
		root.AddCommand(newMongo(commands, streams))
	}
	if commands.NewKey != nil {
		root.AddCommand(newKeys(commands, streams))
	}
	if commands.Token != nil {
		root.AddCommand(newToken(commands, streams))
	}
	if commands.DeadLetters != nil && commands.Redrive != nil {
		root.AddCommand(newDeadLetters(commands, streams))
	}
	if commands.Settings != nil {
		root.AddCommand(newConfig(commands, streams))
	}
	if commands.Target != nil {
		root.AddCommand(newHealthcheck(commands, streams))
	}
	if commands.Admin != nil {
		root.AddCommand(newStatus(commands, streams))
	}
	root.AddCommand(newVersion(commands, streams))
	root.SetHelpCommand(newHelp())
	addCompletion(root)
	return root
}

// addCompletion adds cobra's own completion command, which answers a shell that it does not know with
// its help and success.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		if command.Name() != "completion" {
			continue
		}
		command.Args = cobra.ArbitraryArgs
		command.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var shells []string
			for _, shell := range cmd.Commands() {
				shells = append(shells, shell.Name())
			}
			return usagef("there is no completion for %q: give one of %s", args[0], strings.Join(shells, ", "))
		}
	}
}

// newHelp replaces cobra's own help command, which answers an unknown command with success.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show help for a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, _, err := cmd.Root().Find(args)
			if err != nil {
				return unknownCommand(cmd.Root(), args)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// unknownCommand says which command was meant, if one is near.
func unknownCommand(root *cobra.Command, args []string) error {
	name := ""
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			name = arg
			break
		}
	}
	if near := root.SuggestionsFor(name); len(near) > 0 {
		return usagef("unknown command %q; did you mean '%s %s'?", name, root.Name(), strings.Join(near, "' or '"+root.Name()+" "))
	}
	return usagef("unknown command %q; see '%s --help'", name, root.Name())
}

// noArguments refuses arguments of a command that takes none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("'%s' takes no arguments, but got %q; see '%[1]s --help'", cmd.CommandPath(), args[0])
	}
	return nil
}
