package bootstrap_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/interfaces/cli"
)

// orders runs the program in an empty folder with the given settings in the environment and in the .env file, and none
// of those that the tests themselves were started with.
func orders(t *testing.T, environ map[string]string, dotenv string, args ...string) (code int, out, errors string) {
	t.Helper()
	return ordersIn(t, t.TempDir(), environ, dotenv, args...)
}

// ordersIn is orders in a folder that may hold something.
func ordersIn(t *testing.T, dir string, environ map[string]string, dotenv string, args ...string) (code int, out, errors string) {
	t.Helper()
	defaults, err := config.Load(config.Source{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range defaults.Settings() {
		for _, name := range []string{s.Name, s.Name + "_FILE"} {
			t.Setenv(name, environ[name]) // puts the variable back when the test ends
			if environ[name] == "" {
				os.Unsetenv(name)
			}
		}
	}
	t.Chdir(dir)
	if err := os.WriteFile(".env", []byte(dotenv), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), bootstrap.Commands(), args, cli.Streams{Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

func TestConfigCommand(t *testing.T) {
	code, out, _ := orders(t, map[string]string{"MONGO_PASSWORD": "hunter2"}, "IDLE_TIMEOUT=90s\n", "config", "--port", "9000")
	if code != cli.ExitOK || strings.Contains(out, "hunter2") {
		t.Errorf("exit code %d, output\n%s", code, out)
	}
	for _, want := range []string{"PORT 9000 flag --port", "IDLE_TIMEOUT 90s .env", "MONGO_PASSWORD **** environment", "DEFAULT_CURRENCY USD default"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
}

func TestWrongSettingsAreUsageErrors(t *testing.T) {
	const want = `orders: PORT="http" (environment): give a whole number from 0 to 65535, such as 8000
orders: DEFAULT_CURRENCY="ABC" (.env): give an ISO 4217 currency code in capitals, such as USD
`
	for _, command := range []string{"config", "healthcheck"} {
		code, out, errors := orders(t, map[string]string{"PORT": "http"}, "DEFAULT_CURRENCY=ABC\n", command)
		if code != cli.ExitUsage || out != "" || errors != want {
			t.Errorf("%s: exit code %d, output %q, errors\n%s", command, code, out, errors)
		}
	}
}

func TestHealthcheckOfAChosenPort(t *testing.T) {
	code, _, errors := orders(t, map[string]string{"PORT": "0"}, "", "healthcheck")
	if code != cli.ExitUsage || !strings.Contains(errors, "say where it is with --url") {
		t.Errorf("exit code %d, errors %q", code, errors)
	}
}
