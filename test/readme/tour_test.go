package readme_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/process"
	"order-processing-service/test/program"
)

// asProgram is the variable that makes this test binary the program `orders`.
const asProgram = "ORDERS_README_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "1" {
		streams := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
		os.Exit(cli.Run(context.Background(), bootstrap.Commands(), os.Args[1:], streams)) //nolint:forbidigo // this is the command
	}
	m.Run()
}

// tour is a page whose commands are run.
type tour struct {
	page     string
	settings map[string]string // of the service
	prepare  string            // commands that bring about what the page shows
	needs    []string          // programs besides bash and curl
}

func tours() []tour {
	return []tour{
		{page: "README.md"},
		{
			page:  "docs/storage.md",
			needs: []string{"sqlite3"},
			prepare: place("cart-17", `{"customer_id":"c-1","reference":"A-17","currency":"EUR",
				"items":[{"sku":"TEA","name":"Green tea","quantity":2,"unit_price":12.50}]}`) +
				change("610a8efc12a0dd01a3c53be6", `{"metadata":{"channel":"web"}}`) +
				change("610a8efc12a0dd01a3c53be6", `{"status":"PAID"}`) +
				change("610a8efc12a0dd01a3c53be6", `{"status":"SHIPPED"}`) +
				change("610a8efc12a0dd01a3c53be6", `{"status":"DELIVERED"}`) +
				place("cart-18", `{"customer_id":"c-2","currency":"EUR","items":[{"sku":"CUP","quantity":1,"unit_price":3.95}]}`) +
				change("ebe6a33095d3bef782af740b", `{"status":"CANCELED"}`) +
				place("row-1", `{"customer_id":"c-3","items":[{"sku":"MUG","quantity":1,"unit_price":7}]}`),
		},
		{page: "docs/operations.md", needs: []string{"sqlite3"}, settings: quickToPark(), prepare: parkOne()},
		{page: "docs/status.md", settings: quickToPark(), prepare: parkOne()},
	}
}

// quickToPark and parkOne bring about a delivery that is parked: a file lies where the folder of manifests should be.
func quickToPark() map[string]string {
	return map[string]string{"DELIVERY_MAX_ATTEMPTS": "2", "DELIVERY_BACKOFF_MIN": "1ms", "DELIVERY_POLL_INTERVAL": "10ms"}
}

func parkOne() string {
	return "mkdir data/s3 && touch data/s3/orders-manifest\n" +
		place("cart-17", `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":2,"unit_price":12.50}]}`)
}

// place and change are the commands that place and change an order.
func place(key, body string) string {
	return fmt.Sprintf("curl --fail 127.0.0.1:8000/orders -H 'Content-Type: application/json' -H 'Idempotency-Key: %s' -d '%s' || exit\n",
		key, body)
}

func change(id, body string) string {
	return fmt.Sprintf("curl --fail -X PATCH 127.0.0.1:8000/orders/%s -H 'Content-Type: application/json' -d '%s' || exit\n", id, body)
}

// TestTours follows the pages: it runs each command of their console blocks, in order, and compares what it prints.
// Blocks of log lines must be found in the service's log.
func TestTours(t *testing.T) {
	for _, tour := range tours() {
		t.Run(filepath.Base(tour.page), func(t *testing.T) {
			require(t, tour.page, append([]string{"bash", "curl"}, tour.needs...)...)
			text := read(t, tour.page)
			dir := workFolder(t)
			service := program.Start(t, filepath.Join(dir, "data"), tour.settings)
			here := strings.NewReplacer(
				"127.0.0.1:8000", strings.TrimPrefix(service.URL, "http://"),
				"127.0.0.1:9464", strings.TrimPrefix(adminOf(t, service), "http://"),
			)

			if code, printed := shell(t, dir, here.Replace(tour.prepare)); code != 0 {
				t.Fatalf("prepare: exit code %d\n%s", code, printed)
			}
			service.AwaitTold(t)
			ran := 0
			for _, block := range fences(here.Replace(text)) {
				switch block.language {
				case "console":
					ran += runSteps(t, tour.page, dir, block.steps(), func() { service.AwaitTold(t) })
				case "log":
					checkLog(t, tour.page, block, service.Log.String())
				}
			}
			if ran == 0 {
				t.Error("the page has no console blocks")
			}
		})
	}
}

// adminOf waits until the log of the service names its admin address.
func adminOf(t *testing.T, service *program.Program) string {
	t.Helper()
	for limit := time.After(process.Patience); ; {
		for text := range strings.Lines(service.Log.String()) {
			var line struct{ Message, URL string }
			if err := json.Unmarshal([]byte(text), &line); err == nil && line.Message == "admin endpoints" {
				return line.URL
			}
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-limit:
			t.Fatal("the log names no admin address")
		}
	}
}

// checkLog looks for each line of a block in the service's log.
func checkLog(t *testing.T, page string, block fence, log string) {
	t.Helper()
	lines := strings.Split(log, "\n")
	for _, line := range logLines(block.lines) {
		if !slices.ContainsFunc(lines, pattern(line).MatchString) {
			t.Errorf("%s:%d: no line of the log is\n%s", page, block.line, strings.Join(line, "\n"))
		}
	}
}

// runSteps runs commands one after the other and returns how many they were. A command must exit with 0, unless the
// next one is "echo $?".
func runSteps(t *testing.T, page, dir string, steps []step, afterEach func()) int {
	t.Helper()
	code := 0
	for i, s := range steps {
		var printed string
		code, printed = shell(t, dir, fmt.Sprintf("(exit %d)\n%s", code, s.command))
		asked := i+1 < len(steps) && steps[i+1].command == "echo $?"
		if code != 0 && !asked {
			t.Errorf("%s:%d: %s\nexits with %d", page, s.line, s.command, code)
		}
		if !pattern(s.output).MatchString(printed) {
			t.Errorf("%s:%d: %s\nprints\n%s\nand not\n%s", page, s.line, s.command, printed, strings.Join(s.output, "\n"))
		}
		afterEach()
	}
	return len(steps)
}

// require skips a test that needs programs which are not there, unless ORDERS_REQUIRE_SHELL=1 says that they should be.
func require(t *testing.T, page string, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			message := "the commands of " + page + " are not run: " + name + " is not installed"
			if os.Getenv("ORDERS_REQUIRE_SHELL") == "1" {
				t.Fatal(message)
			}
			t.Skip(message)
		}
	}
}

// workFolder returns a folder that is to the commands what the repository is to a reader: the program is bin/orders, and
// the sources are there.
func workFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Abs(filepath.Join(root, "internal"))
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asProgram, self)
	err = errors.Join(
		os.Mkdir(filepath.Join(dir, "bin"), 0o755),
		os.WriteFile(filepath.Join(dir, "bin", "orders"), []byte(script), 0o755),
		os.Symlink(sources, filepath.Join(dir, "internal")),
		// At a terminal curl shows no progress; here it would.
		os.WriteFile(filepath.Join(dir, ".curlrc"), []byte("silent\nshow-error\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// shell runs a command as bash does and returns its exit code and all that it printed, without the last line break.
func shell(t *testing.T, dir, command string) (code int, printed string) {
	t.Helper()
	bash := exec.CommandContext(t.Context(), "bash", "-c", command)
	bash.Dir = dir
	bash.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8", "TZ=UTC"}
	out, err := bash.CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else if err != nil {
		t.Fatalf("bash: %v", err)
	}
	return code, strings.TrimRight(strings.ReplaceAll(string(out), "\r\n", "\n"), "\n")
}

// logLines parts a block of log lines, each with the lines that were broken off it.
func logLines(lines []string) [][]string {
	var all [][]string
	for _, line := range lines {
		if len(all) > 0 && strings.HasPrefix(line, " ") {
			all[len(all)-1] = append(all[len(all)-1], line)
			continue
		}
		all = append(all, []string{line})
	}
	return all
}
