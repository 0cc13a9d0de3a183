package crash_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// child is a running program.
type child struct {
	command *exec.Cmd
	stdin   io.Closer
	output  string // the file with its log lines
	stderr  bytes.Buffer
	exited  chan struct{}
	err     error // of its end, once exited is closed
	killed  atomic.Bool

	url    string
	client *http.Client
}

// startChild starts the program on the folder, with a file of its own for its log lines.
func startChild(t *testing.T, dir string) *child {
	t.Helper()
	before, err := filepath.Glob(filepath.Join(dir, "output-*"))
	if err != nil {
		t.Fatal(err)
	}
	c := &child{
		output: filepath.Join(dir, fmt.Sprintf("output-%04d", len(before))), exited: make(chan struct{}),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: writers}},
	}
	output, err := os.Create(c.output)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.command = exec.Command(binary) //nolint:noctx // it ends by being killed
	c.command.Dir = dir              // where no .env file is
	c.command.Env = []string{
		childVariable + "=1", "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), "HOME=" + dir, "TMPDIR=" + os.TempDir(),
		"PORT=0", "DATA_DIR=" + filepath.Join(dir, "data"), "DELIVERY_LEASE=1s", "DELIVERY_POLL_INTERVAL=20ms",
	}
	c.command.Stdout, c.command.Stderr = output, &c.stderr
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.exited)
		c.err = c.command.Wait()
	}()
	t.Cleanup(func() { c.kill(t) })
	return c
}

// awaitURL waits until the child says where it listens.
func (c *child) awaitURL(t *testing.T) {
	t.Helper()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for {
		for _, l := range readLines(t, c.output) {
			if l.Message == "listening" {
				c.url = l.URL
				return
			}
		}
		select {
		case <-again.C:
		case <-c.exited:
			t.Fatalf("the service ended by itself: %v\n%s", c.err, c.stderr.String())
		case <-limit:
			t.Fatal("the service does not start")
		}
	}
}

// kill ends the child without notice, if it still runs.
func (c *child) kill(t *testing.T) {
	t.Helper()
	c.killed.Store(true)
	select {
	case <-c.exited:
		return
	default:
	}
	if err := c.command.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-c.exited
	c.client.CloseIdleConnections()
}

// stop ends the child in good order.
func (c *child) stop(t *testing.T) {
	t.Helper()
	if err := c.stdin.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-c.exited:
		if c.err != nil {
			t.Errorf("the service ended with %v\n%s", c.err, c.stderr.String())
		}
	case <-time.After(patience):
		t.Error("the service does not stop")
	}
}

// answer is an answer that was read whole.
type answer struct {
	status   int
	replayed bool
	body     []byte
}

// ask sends a request. Without an answer, because the child was killed, it returns false; any other error fails the test.
func (c *child) ask(t *testing.T, method, path, key, body string) (answer, bool) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return answer{}, false
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := c.client.Do(r)
	var a answer
	if err == nil {
		a = answer{status: response.StatusCode, replayed: response.Header.Get("Idempotent-Replayed") != ""}
		a.body, err = io.ReadAll(response.Body)
		response.Body.Close()
	}
	if err != nil {
		if !c.killed.Load() {
			t.Errorf("%s %s: %v, though the service was not killed", method, path, err)
		}
		return answer{}, false
	}
	return a, true
}

// get returns the body of an answer that must come.
func (c *child) get(t *testing.T, path string) []byte {
	t.Helper()
	a, ok := c.ask(t, http.MethodGet, path, "", "")
	if !ok || a.status != http.StatusOK {
		t.Fatalf("GET %s: status %d\n%s", path, a.status, a.body)
	}
	return a.body
}

// awaitTold waits until no delivery is left.
func (c *child) awaitTold(t *testing.T) {
	t.Helper()
	const none = `{"deliveries":[],"next_cursor":null}`
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for waiting := ""; waiting != none; waiting = string(c.get(t, "/deliveries?state=waiting")) {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("waited in vain for everything to be told; there is %.500s", waiting)
		}
	}
	if parked := c.get(t, "/deliveries?state=parked"); string(parked) != none {
		t.Errorf("there are parked deliveries: %s", parked)
	}
}

// line is a log line.
type line struct {
	Message string `json:"message"`
	Level   string `json:"level"`
	URL     string `json:"url"`
	AWS     struct {
		EventIDs []string `json:"event_ids"`
		Entries  []struct {
			Detail string
		} `json:"entries"`
	} `json:"aws"`
}

// readLines reads the lines of an output. The last one may be half a line, when the writer was killed.
func readLines(t *testing.T, path string) []line {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	for row := range bytes.Lines(text) {
		var l line
		if !bytes.HasSuffix(row, []byte("\n")) {
			break
		}
		if err := json.Unmarshal(row, &l); err != nil {
			t.Errorf("%s: %v in %s", path, err, row)
		}
		lines = append(lines, l)
	}
	return lines
}
