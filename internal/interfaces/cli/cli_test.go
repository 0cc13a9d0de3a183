package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/interfaces/cli"
)

var build = cli.Build{Version: "1.2.3", GoVersion: "go1.26.0", Platform: "linux/amd64", Commit: "abc", Modified: true}

// commands offers everything and does nothing; tests replace what they look at.
func commands() cli.Commands {
	return cli.Commands{
		Serve:    func(context.Context, cli.Streams, cli.ServeOptions) error { return nil },
		Import:   func(context.Context, cli.Streams, cli.ImportOptions) error { return nil },
		Copy:     func(context.Context, cli.Streams, cli.CopyOptions) error { return nil },
		Settings: func(context.Context, map[string]string) ([]cli.Setting, error) { return nil, nil },
		Target:   func() (cli.Target, error) { return cli.Target{URL: "http://127.0.0.1:1"}, nil },
		Admin:    func() (string, error) { return "http://127.0.0.1:1", nil },
		Worker:   func(context.Context, cli.Streams, cli.ServeOptions) error { return nil },
		Build:    build,
	}
}

// outcome is what a run of the program leaves.
type outcome struct {
	code     int
	out, err string
}

func run(t *testing.T, c cli.Commands, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	code := cli.Run(t.Context(), c, args, cli.Streams{In: strings.NewReader("from standard input"), Out: &out, Err: &err})
	return outcome{code, out.String(), err.String()}
}

func TestWrongUse(t *testing.T) {
	tests := []struct{ args, want string }{
		{"sevre", "unknown command \"sevre\"; did you mean 'orders serve'?"},
		{"serv --port 1", "unknown command \"serv\"; did you mean 'orders serve'?"},
		{"frobnicate", "unknown command \"frobnicate\"; see 'orders --help'"},
		{"help imprt", "unknown command \"imprt\"; did you mean 'orders import'?"},
		{"--bogus", "unknown flag: --bogus; see 'orders --help'"},
		{"serve --prot 1", "unknown flag: --prot; see 'orders serve --help'"},
		{"serve now", "'orders serve' takes no arguments, but got \"now\"; see 'orders serve --help'"},
		{"version --output xml", "invalid argument \"xml\" for \"--output\" flag: give text or json; see 'orders version --help'"},
		{
			"healthcheck --timeout 2h",
			"invalid argument \"2h\" for \"--timeout\" flag: give a duration up to 1m, such as 3s; see 'orders healthcheck --help'",
		},
		{
			"healthcheck --url localhost:8000",
			"invalid argument \"localhost:8000\" for \"--url\" flag: give the address of a service, such as http://127.0.0.1:8000;" +
				" see 'orders healthcheck --help'",
		},
		{"completion tcsh", "there is no completion for \"tcsh\": give one of bash, fish, powershell, zsh"},
		{"completion fish extra", "unknown command \"extra\" for \"orders completion fish\""},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			want := outcome{code: cli.ExitUsage, err: "orders: " + tt.want + "\n"}
			if diff := cmp.Diff(want, run(t, commands(), strings.Fields(tt.args)...), cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExitCodeOfWork(t *testing.T) {
	tests := map[string]struct {
		err  error
		want outcome
	}{
		"done":        {nil, outcome{code: cli.ExitOK}},
		"failed":      {errors.New("disk full"), outcome{code: cli.ExitFailure, err: "orders: disk full\n"}},
		"wrong usage": {cli.UsageError{Err: errors.New("PORT\nHOST")}, outcome{code: cli.ExitUsage, err: "orders: PORT\norders: HOST\n"}},
		"wrapped": {
			errors.Join(errors.New("a"), cli.UsageError{Err: errors.New("b")}),
			outcome{code: cli.ExitUsage, err: "orders: a\norders: b\n"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := commands()
			c.Serve = func(context.Context, cli.Streams, cli.ServeOptions) error { return tt.err }
			if diff := cmp.Diff(tt.want, run(t, c, "serve"), cmp.AllowUnexported(outcome{})); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServePassesSettingsAndContext(t *testing.T) {
	type key struct{}
	var got map[string]string
	c := commands()
	c.Serve = func(ctx context.Context, _ cli.Streams, o cli.ServeOptions) error {
		if ctx.Value(key{}) == nil {
			t.Error("another context")
		}
		got = o.Overrides
		return nil
	}
	ctx := context.WithValue(t.Context(), key{}, true)
	if code := cli.Run(ctx, c, []string{"serve", "--port", "0", "--data-dir="}, cli.Streams{}); code != cli.ExitOK {
		t.Fatalf("exit code %d", code)
	}
	if diff := cmp.Diff(map[string]string{"PORT": "0", "DATA_DIR": ""}, got); diff != "" {
		t.Errorf("overrides (-want +got):\n%s", diff)
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, args := range [][]string{{}, {"serve"}, {"import"}, {"copy"}, {"config"}, {"healthcheck"}, {"version"}} {
		got := run(t, commands(), append(args, "--help")...)
		if got.code != cli.ExitOK || !strings.Contains(got.out, "Examples:\n  ") || got.err != "" {
			t.Errorf("help of %q: %+v", args, got)
		}
	}
}

func TestCommandWithoutWorkIsNotOffered(t *testing.T) {
	c := commands()
	c.Import = nil
	if got := run(t, c, "import", "x"); got.code != cli.ExitUsage {
		t.Errorf("outcome %+v", got)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := run(t, commands(), "completion", shell); got.code != cli.ExitOK || !strings.Contains(got.out, "orders") {
			t.Errorf("completion for %s: code %d, errors %q", shell, got.code, got.err)
		}
	}
	if got := run(t, commands(), "__complete", "version", "--output", "j"); !strings.HasPrefix(got.out, "text\njson\n") && !strings.HasPrefix(got.out, "json\n") {
		t.Errorf("completion of --output: %q", got.out)
	}
}

func TestVersion(t *testing.T) {
	const line = "orders 1.2.3 (go1.26.0, linux/amd64, commit abc with changes)\n"
	for _, arg := range []string{"version", "--version"} {
		if got := run(t, commands(), arg); got.out != line || got.code != cli.ExitOK {
			t.Errorf("%s: %+v", arg, got)
		}
	}
	var got cli.Build
	if err := json.Unmarshal([]byte(run(t, commands(), "version", "--output", "json").out), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(build, got); diff != "" {
		t.Errorf("build (-want +got):\n%s", diff)
	}
}

func TestConfig(t *testing.T) {
	settings := []cli.Setting{
		{Name: "PORT", Value: "9000", Source: "flag --port", Default: "8000", Allowed: "a number", Description: "a <port>"},
		{Name: "MONGO_PASSWORD", Value: "****", Source: ".env", Default: "****", Secret: true},
		{Name: "DATA_DIR", Value: "a\tb", Source: "environment"},
	}
	c := commands()
	c.Settings = func(_ context.Context, overrides map[string]string) ([]cli.Setting, error) {
		if diff := cmp.Diff(map[string]string{"PORT": "9000"}, overrides); diff != "" {
			t.Errorf("overrides (-want +got):\n%s", diff)
		}
		return settings, nil
	}
	const table = `SETTING         VALUE   FROM
PORT            9000    flag --port
MONGO_PASSWORD  ****    .env
DATA_DIR        "a\tb"  environment
`
	if diff := cmp.Diff(table, run(t, c, "config", "--port", "9000").out); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	var got struct{ Settings []cli.Setting }
	if err := json.Unmarshal([]byte(run(t, c, "config", "--port", "9000", "--output", "json").out), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(settings, got.Settings); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}
