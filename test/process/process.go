// Package process runs the real program as a process of its own, which a test can kill or pause: the test's own binary,
// started again.
//
//	func TestMain(m *testing.M) { process.Main(m) }
//
//	p := process.Start(t, process.Config{Dir: dir, Output: dir + "/output"})
//	p.AwaitURL(t)
package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
)

// Patience bounds every wait for something that must happen.
const Patience = 30 * time.Second

// variable marks a process that Start has started.
const variable = "ORDERS_TEST_PROCESS"

// Main runs the tests or, in a process that Start has started, the program.
func Main(m *testing.M) {
	if os.Getenv(variable) == "" {
		m.Run()
		return
	}
	run()
}

// run is `orders` with the arguments that the process was given. It stops in good order when its standard input ends, as
// that does when its parent is gone.
func run() {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	streams := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	if code := cli.Run(ctx, bootstrap.Commands(), os.Args[1:], streams); code != cli.ExitOK {
		panic("orders ended with exit code " + strconv.Itoa(code))
	}
}

// Config says what to start.
type Config struct {
	// Arguments of the program; none means serve.
	Arguments []string
	// Dir is the folder to start in; it should hold no .env file. The data lies below it, in "data".
	Dir string
	// Output is the file that log lines are appended to. Processes may share it: each line is written at once, so it then
	// has all of them in the order in which they were written.
	Output string
	// Settings are added to those that every process gets, and win over them.
	Settings map[string]string
}

// Process is a running program. Its methods may be called by any goroutine.
type Process struct {
	command *exec.Cmd
	stdin   io.Closer
	output  string
	skip    int // bytes of output that were there before
	stderr  bytes.Buffer
	exited  chan struct{}
	err     error // of its end, once exited is closed
	killed  atomic.Bool

	url    string
	client *http.Client
}

// Start starts the program, and kills it when the test ends, if it still runs then.
func Start(tb testing.TB, c Config) *Process {
	tb.Helper()
	output, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = output.Close() }() // The process has a handle of its own.
	before, err := output.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	p := &Process{
		output: c.Output, skip: int(before.Size()), exited: make(chan struct{}),
		client: &http.Client{Timeout: 4 * Patience, // others wait for more than one thing meanwhile
			Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	if len(c.Arguments) == 0 {
		c.Arguments = []string{"serve"}
	}
	p.command = exec.Command(binary, c.Arguments...) //nolint:noctx // it ends by being killed
	p.command.Dir = c.Dir
	p.command.Env = []string{
		variable + "=1", "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), "HOME=" + c.Dir, "TMPDIR=" + os.TempDir(),
		"PORT=0", "ADMIN_ADDR=127.0.0.1:0", "DATA_DIR=" + filepath.Join(c.Dir, "data"), "DELIVERY_LEASE=1s", "DELIVERY_POLL_INTERVAL=20ms",
		// Go's client opens connections that it uses later, or while the process stands still: they are not closed meanwhile.
		"READ_HEADER_TIMEOUT=2m", "READ_TIMEOUT=2m",
	}
	for name, value := range c.Settings { // of two with one name, the last counts
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	p.command.Stdout, p.command.Stderr = output, &p.stderr
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		p.err = p.command.Wait()
	}()
	tb.Cleanup(func() { p.Kill(tb) })
	return p
}

// AwaitURL waits until the program says where it listens.
func (p *Process) AwaitURL(tb testing.TB) {
	tb.Helper()
	pid := p.command.Process.Pid
	Await(tb, "the service to listen", func() bool {
		select {
		case <-p.exited:
			tb.Fatalf("the service ended by itself: %v\n%s", p.err, p.stderr.String())
		default:
		}
		for _, l := range readLines(tb, p.output, p.skip) {
			if l.Message == "listening" && l.PID == pid {
				p.url = l.URL
				return true
			}
		}
		return false
	})
}

// URL is where the service listens, once AwaitURL has returned.
func (p *Process) URL() string { return p.url }

// Stderr is what the process has written to its standard error. It may be called once the process has ended.
func (p *Process) Stderr() string {
	<-p.exited
	return p.stderr.String()
}

// Await looks again and again until what is waited for has happened.
func Await(tb testing.TB, what string, happened func() bool) {
	tb.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	limit := time.After(Patience)
	for !happened() {
		select {
		case <-again.C:
		case <-limit:
			tb.Fatalf("waited %v in vain for %s", Patience, what)
		}
	}
}

// Kill ends the process without notice, if it still runs.
func (p *Process) Kill(tb testing.TB) {
	tb.Helper()
	p.killed.Store(true)
	select {
	case <-p.exited:
		return
	default:
	}
	if err := p.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Error(err)
	}
	<-p.exited
	p.client.CloseIdleConnections()
}

// Stop ends the process in good order.
func (p *Process) Stop(tb testing.TB) {
	tb.Helper()
	if err := p.stdin.Close(); err != nil {
		tb.Error(err)
	}
	p.Wait(tb)
}

// Wait waits for the process to end by itself, which must be in good order.
func (p *Process) Wait(tb testing.TB) {
	tb.Helper()
	select {
	case <-p.exited:
		if p.err != nil {
			tb.Errorf("the program ended with %v\n%s", p.err, p.stderr.String())
		}
	case <-time.After(Patience):
		tb.Error("the program does not end")
	}
}

// Answer is an answer that was read whole.
type Answer struct {
	Status     int
	Replayed   bool
	ETag       string
	RetryAfter string
	Body       []byte
}

// Request is what to ask for. Key is its Idempotency-Key and IfMatch its If-Match, "" for none.
type Request struct{ Method, Path, Key, IfMatch, Body string }

// Ask sends a request. Without an answer, because the process was killed, it returns false; any other error fails the test.
func (p *Process) Ask(tb testing.TB, q Request) (Answer, bool) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), q.Method, p.url+q.Path, strings.NewReader(q.Body))
	if err != nil {
		tb.Error(err)
		return Answer{}, false
	}
	r.Header.Set("Content-Type", "application/json")
	if q.Key != "" {
		r.Header.Set("Idempotency-Key", q.Key)
	}
	if q.IfMatch != "" {
		r.Header.Set("If-Match", q.IfMatch)
	}
	response, err := p.client.Do(r)
	var a Answer
	if err == nil {
		a = Answer{
			Status: response.StatusCode, Replayed: response.Header.Get("Idempotent-Replayed") != "",
			ETag: response.Header.Get("ETag"), RetryAfter: response.Header.Get("Retry-After"),
		}
		a.Body, err = io.ReadAll(response.Body)
		response.Body.Close()
	}
	if err != nil {
		if !p.killed.Load() {
			tb.Errorf("%s %s: %v, though the service was not killed", q.Method, q.Path, err)
		}
		return Answer{}, false
	}
	return a, true
}

// Get returns the body of an answer that must come.
func (p *Process) Get(tb testing.TB, path string) []byte {
	tb.Helper()
	a, ok := p.Ask(tb, Request{Method: http.MethodGet, Path: path})
	if !ok || a.Status != http.StatusOK {
		tb.Fatalf("GET %s: status %d\n%s", path, a.Status, a.Body)
	}
	return a.Body
}

// Untold returns the first deliveries that wait, as text; "" when there are none.
func (p *Process) Untold(tb testing.TB) string {
	tb.Helper()
	if waiting := string(p.Get(tb, "/deliveries?state=waiting")); waiting != noDeliveries {
		return waiting
	}
	return ""
}

const noDeliveries = `{"deliveries":[],"next_cursor":null}`

// AwaitTold waits until no delivery is left.
func (p *Process) AwaitTold(tb testing.TB) {
	tb.Helper()
	waiting := ""
	defer func() {
		if waiting != "" {
			tb.Logf("it waits: %.2000s", waiting)
		}
	}()
	Await(tb, "everything to be told", func() bool { waiting = p.Untold(tb); return waiting == "" })
	if parked := p.Get(tb, "/deliveries?state=parked"); string(parked) != noDeliveries {
		tb.Errorf("there are parked deliveries: %s", parked)
	}
}
