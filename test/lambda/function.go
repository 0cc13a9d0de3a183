package lambda

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/test/process"
)

// built is the path of the program that Main has built.
//
//nolint:gochecknoglobals // TestMain has no other way to hand it on
var built string

// Main builds the program, as it is released, and runs the tests.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "orders-lambda-")
	if err == nil {
		built = filepath.Join(dir, "bootstrap")
		// Its version is that of the test, which has none of a repository.
		build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", built, "order-processing-service/cmd/orders") //nolint:noctx // it ends by itself
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		var out []byte
		if out, err = build.CombinedOutput(); err != nil {
			err = fmt.Errorf("build the program: %w\n%s", err, out)
		}
	}
	if err != nil {
		panic(err)
	}
	m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
}

// Config says what to start.
type Config struct {
	Runtime *Runtime
	// Dir is the folder to start in, with the data below it in "data".
	Dir string
	// Arguments of the program; none, as for a function from a zip file.
	Arguments []string
	// Settings win over those that every function gets here. An empty one is not set at all.
	Settings map[string]string
}

// Function is a running instance of the function.
type Function struct {
	Log     string // the path of the file that has its standard output
	Started time.Time

	command *exec.Cmd
	stderr  bytes.Buffer
	exited  chan struct{}
	err     error
	over    atomic.Bool
}

// Start starts an instance, and kills it when the test ends if it still runs.
func Start(tb testing.TB, c Config) *Function {
	tb.Helper()
	f := &Function{Log: filepath.Join(c.Dir, "log"), exited: make(chan struct{})}
	log, err := os.OpenFile(f.Log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = log.Close() }() // The process has a handle of its own.
	settings := map[string]string{"DATA_DIR": filepath.Join(c.Dir, "data"), "DELIVERY_LEASE": "30s"}
	maps.Copy(settings, c.Settings)
	f.command = exec.Command(built, c.Arguments...) //nolint:noctx // it ends by being killed
	f.command.Dir, f.command.Env = c.Dir, c.Runtime.environment()
	for name, value := range settings {
		if value != "" {
			f.command.Env = append(f.command.Env, name+"="+value)
		}
	}
	f.command.Stdout, f.command.Stderr = log, &f.stderr
	f.Started = time.Now()
	if err := f.command.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		defer close(f.exited)
		f.err = f.command.Wait()
	}()
	tb.Cleanup(func() {
		f.Kill(tb)
		if tb.Failed() {
			text, _ := os.ReadFile(f.Log)
			tb.Logf("the function wrote\n%.20000s\n%s", text, f.stderr.String())
		}
	})
	return f
}

// Kill ends the instance without notice, if it still runs.
func (f *Function) Kill(tb testing.TB) {
	tb.Helper()
	f.over.Store(true)
	select {
	case <-f.exited:
		return
	default:
	}
	if err := f.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Error(err)
	}
	<-f.exited
}

// Wait waits until the instance has ended by itself, and returns its exit code and what it wrote to standard error.
func (f *Function) Wait(tb testing.TB) (code int, stderr string) {
	tb.Helper()
	select {
	case <-f.exited:
	case <-time.After(process.Patience):
		tb.Fatal("the function does not end")
	}
	return f.command.ProcessState.ExitCode(), f.stderr.String()
}

// Lines returns what all instances with this log have written.
func (f *Function) Lines(tb testing.TB) []process.Line {
	tb.Helper()
	return process.ReadLines(tb, f.Log)
}
