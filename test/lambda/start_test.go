//go:build unix

package lambda_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/lambda"
	"order-processing-service/test/mongodb"
	"order-processing-service/test/process"
)

// TestStartFails has settings with which the function can't start. Each time the runtime is told in one line what to do,
// the log has the same line, and the process ends.
func TestStartFails(t *testing.T) {
	const lost = "the files of a Lambda function are lost with each of its instances; set MONGO_URI or MONGO_HOST, or set DATA_DIR"
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		settings  map[string]string
		arguments []string
		code      int
		want      string
	}{
		"no store":         {map[string]string{"DATA_DIR": ""}, nil, cli.ExitFailure, lost},
		"no store, serve":  {map[string]string{"DATA_DIR": ""}, []string{"serve"}, cli.ExitFailure, lost},
		"a wrong setting":  {map[string]string{"LOG_LEVEL": "loud"}, nil, cli.ExitUsage, `LOG_LEVEL="loud" (environment): give one of DEBUG`},
		"a wrong base":     {map[string]string{"BASE_PATH": "a b"}, nil, cli.ExitUsage, `BASE_PATH="a b" (environment): give a path`},
		"no queue":         {map[string]string{"EVENTS": "sqs"}, nil, cli.ExitUsage, "EVENTS=sqs needs EVENTS_QUEUE_URL"},
		"in production":    {map[string]string{"APP_ENV": "production"}, nil, cli.ExitUsage, "APP_ENV=production: AUTH=none lets everybody do everything"},
		"no place to keep": {map[string]string{"DATA_DIR": file}, nil, cli.ExitFailure, file},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := lambda.NewRuntime(t)
			f := lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir(), Settings: tt.settings, Arguments: tt.arguments})
			code, stderr := f.Wait(t)
			if code != tt.code || !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, standard error %q; want %d and %q in one line", code, stderr, tt.code, tt.want)
			}
			select {
			case failure := <-r.InitErrors:
				var report struct {
					Message    string   `json:"errorMessage"`
					Type       string   `json:"errorType"`
					StackTrace []string `json:"stackTrace"`
				}
				if err := json.Unmarshal([]byte(failure.Report), &report, json.RejectUnknownMembers(true)); err != nil {
					t.Fatal(err)
				}
				if failure.Type != "Runtime.InitError" || report.Type == "" || !strings.Contains(report.Message, tt.want) {
					t.Errorf("reported as %s: %+v", failure.Type, report)
				}
			default:
				t.Error("the runtime is not told")
			}
		})
	}
}

// TestWarnings looks for the line about a place where orders are lost: the tests' own folder is one on most machines.
func TestWarnings(t *testing.T) {
	r := lambda.NewRuntime(t)
	dir, err := os.MkdirTemp("/tmp", "orders-lambda-") //nolint:usetesting // it is about /tmp itself
	if err != nil {
		t.Skipf("there is no /tmp here: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f := lambda.Start(t, lambda.Config{Runtime: r, Dir: dir})
	r.Invoke(t, recorded(t, "http-api"))
	if !slices.ContainsFunc(f.Lines(t), func(l process.Line) bool {
		return l.Level == "WARNING" && strings.Contains(l.Text, "DATA_DIR lies under /tmp, which is lost with each instance")
	}) {
		t.Error("nothing warns of a DATA_DIR under /tmp")
	}
}

// TestStops says to an instance that it is needed no more: once while it waits, and once while it works.
func TestStops(t *testing.T) {
	inTime(t, func() string {
		r := lambda.NewRuntime(t)
		f := lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir()})
		placed(t, r.Invoke(t, post(t, "POST", "/orders", newOrder)))
		if !r.WantsSIGTERM() {
			t.Error("it registered no extension, so that Lambda would send no SIGTERM")
		}
		begun := time.Now()
		f.Terminate(t)
		if code, stderr := f.Wait(t); code != cli.ExitOK || stderr != "" {
			return fmt.Sprintf("exit code %d, %s", code, stderr)
		}
		if took := time.Since(begun); took > 500*time.Millisecond {
			return fmt.Sprintf("it took %v, and Lambda kills it after 500 ms", took)
		}
		return ""
	})
}

// inTime tries what an instance has to do within a time of Lambda's, which a machine that does much else may not have. It has to
// succeed once.
func inTime(t *testing.T, try func() (problem string)) {
	t.Helper()
	problem := ""
	for range 5 {
		if problem = try(); problem == "" {
			return
		}
	}
	t.Error(problem)
}

func TestStopsWhileItWorks(t *testing.T) {
	dir := t.TempDir()
	r := lambda.NewRuntime(t)
	bus, f := withBus(t, r, dir)
	bus.Hold()
	r.Begin(post(t, "POST", "/orders", newOrder), process.Patience)
	awaitAsked(t, bus)
	f.Terminate(t)
	if code, stderr := f.Wait(t); code != cli.ExitFailure { // something was cut off
		t.Log(stderr)
		t.Errorf("exit code %d", code)
	}
	bus.Release()
	r = lambda.NewRuntime(t) // the other may not have noticed yet that the instance asks for nothing more
	again(t, r, dir, bus)
	r.Invoke(t, recorded(t, "sweep"))
	if told := bus.Events(); len(told) != 2 || told[0] != told[1] {
		t.Errorf("told %v, want one event and its repeat", told)
	}
}

var coldStarts = flag.Int("cold-starts", 5, "how often the cold start is measured")

// TestColdStart measures how long it takes from the start of the process to its first answer, which is that an order
// was placed.
func TestColdStart(t *testing.T) {
	const limit = 3 * time.Second // of a machine that does much else; the figure is for the documentation
	t.Run("embedded", func(t *testing.T) {
		measure(t, limit, map[string]string{"MANIFESTS": "none"})
	})
	t.Run("mongodb", func(t *testing.T) {
		server := mongodb.Need(t)
		measure(t, limit, map[string]string{
			"MONGO_URI": server.URI, "MONGO_DB": server.Database(t).Name(), "DATA_DIR": "", "MANIFESTS": "none",
		})
	})
}

func measure(t *testing.T, limit time.Duration, settings map[string]string) {
	t.Helper()
	var took []time.Duration
	for range *coldStarts {
		r := lambda.NewRuntime(t)
		i := r.Begin(post(t, "POST", "/orders", newOrder), process.Patience)
		f := lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir(), Settings: settings})
		placed(t, i.Await(t).Payload)
		took = append(took, time.Since(f.Started))
		f.Kill(t)
	}
	slices.Sort(took)
	middle := took[len(took)/2]
	t.Logf("cold start to a placed order: %v (median of %d; %v to %v) on %d CPUs, %s/%s",
		middle.Round(time.Millisecond), len(took), took[0].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond),
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	if middle > limit {
		t.Errorf("it takes %v, more than %v", middle, limit)
	}
}
