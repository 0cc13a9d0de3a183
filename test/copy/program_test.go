//go:build unix

package copy_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that must happen.
const patience = 10 * time.Minute

// binary is the built program.
var binary string

// command is the program with arguments, in a folder that may hold orders, with settings NAME=value and no others.
func command(ctx context.Context, dir string, settings []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // a program of our own
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + dir, "TMPDIR=" + os.TempDir(), "PORT=0", "ADMIN_ADDR=127.0.0.1:0"}, settings...)
	return cmd
}

// result is what a run of the program leaves.
type result struct {
	code     int
	out, err string
}

// run runs the program to its end.
func run(t *testing.T, dir string, settings []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := command(ctx, dir, settings, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	return ended(t, cmd.Run(), &out, &errs)
}

func ended(t *testing.T, err error, out, errs *bytes.Buffer) result {
	t.Helper()
	r := result{out: out.String(), err: errs.String()}
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = failed.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return r
}

// service is `orders serve`.
type service struct {
	cmd    *exec.Cmd
	url    string
	client *http.Client
	read   chan struct{} // closed when its output is read to the end

	mu     sync.Mutex
	events map[string]int // how often each event was told to the simulated EventBridge
}

// serve starts the service, and waits until it listens. It is stopped with the test, or before.
func serve(t *testing.T, dir string, settings ...string) *service {
	t.Helper()
	s := &service{
		cmd: command(context.WithoutCancel(t.Context()), dir, settings, "serve"), read: make(chan struct{}), events: map[string]int{},
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 8}},
	}
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	listening := make(chan string, 1)
	go s.follow(out, listening)
	select {
	case s.url = <-listening:
	case <-s.read:
		t.Fatal("the service does not start")
	case <-time.After(patience):
		t.Fatal("the service does not listen")
	}
	return s
}

// follow reads the service's log lines.
func (s *service) follow(out io.Reader, listening chan<- string) {
	defer close(s.read)
	lines := bufio.NewReader(out)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var line struct {
			Message string `json:"message"`
			URL     string `json:"url"`
			AWS     struct {
				EventIDs []string `json:"event_ids"`
			} `json:"aws"`
		}
		if json.Unmarshal(text, &line) != nil {
			continue
		}
		if line.Message == "listening" {
			listening <- line.URL
		}
		s.mu.Lock()
		for _, id := range line.AWS.EventIDs {
			s.events[id]++
		}
		s.mu.Unlock()
	}
}

// stop ends the service in good order. A second call does nothing.
func (s *service) stop(t *testing.T) {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	s.client.CloseIdleConnections()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	<-s.read
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the service ended with %v", err)
	}
}

// answer is an answer that was read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *service) ask(t *testing.T, method, path, key, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: status %d\n%s", method, path, response.StatusCode, text)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// decode reads the body of an answer to GET.
func (s *service) decode(t *testing.T, path string, into any) answer {
	t.Helper()
	a := s.ask(t, http.MethodGet, path, "", "")
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return a
}

// awaitTold waits until no delivery is left that is not parked.
func (s *service) awaitTold(t *testing.T) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	var waiting struct {
		Deliveries []json.RawMessage `json:"deliveries"`
	}
	for s.decode(t, "/deliveries?state=waiting", &waiting); len(waiting.Deliveries) > 0; s.decode(t, "/deliveries?state=waiting", &waiting) {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("waited in vain for everything to be told; there is %.500s", waiting.Deliveries)
		}
	}
}
