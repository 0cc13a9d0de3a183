package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/bootstrap/config"
)

// home is a place with orders, in which services can be started one after the other.
type home struct {
	on       store
	dir      string
	settings map[string]string
}

// newHome returns an empty place. The settings are pairs NAME=value on top of those that every service here gets.
func newHome(t *testing.T, on store, settings ...string) *home {
	t.Helper()
	h := &home{on: on, dir: t.TempDir(), settings: map[string]string{
		"PORT": "0", "ADMIN_ADDR": "127.0.0.1:0",
		"READ_HEADER_TIMEOUT": "30s", // Go's client opens connections that it uses later: they are not closed just then
	}}
	h.settings["DATA_DIR"] = h.dir
	maps.Copy(h.settings, on.settings(t, h.dir))
	for _, pair := range settings {
		name, value, _ := strings.Cut(pair, "=")
		h.settings[name] = value
	}
	return h
}

// service is a running program.
type service struct {
	*home
	url    string
	out    *output
	client *http.Client
	// asked counts the requests that must have a log line.
	asked atomic.Int64
	// untold: some events are not to be told. unanswered: some requests end without an answer. The tests that say so check
	// such things themselves.
	untold, unanswered bool
	// broken: there are orders that can't be read, on purpose. Whoever asks for one has an error in the log.
	broken bool
	ended  bool

	stopping context.Context
	stop     context.CancelFunc
	stopped  chan struct{}
	err      error // of Run, once stopped is closed
}

// start starts the program in h. When the test ends the program is stopped, if it still runs, and checked.
func (h *home) start(t *testing.T) *service {
	t.Helper()
	var environ []string
	for name, value := range h.settings {
		environ = append(environ, name+"="+value)
	}
	c, err := config.Load(config.Source{Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{home: h, out: newOutput(), stopped: make(chan struct{})}
	program, err := bootstrap.Open(t.Context(), c, s.out)
	if err != nil {
		t.Fatal(err)
	}
	s.url = program.URL()
	s.client = &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	s.stopping, s.stop = context.WithCancel(context.Background())
	go func() {
		defer close(s.stopped)
		s.err = program.Run(s.stopping)
	}()
	t.Cleanup(func() { s.end(t) })
	theContract.read(t, s.get(t, "/openapi.json"))
	return s
}

// end stops the program, if that was not done yet, and checks how it ended.
func (s *service) end(t *testing.T) {
	t.Helper()
	if s.ended {
		return
	}
	s.ended = true
	if s.stopping.Err() == nil && !t.Failed() {
		s.checkOrders(t)
	}
	s.client.CloseIdleConnections() // the stop waits for one that was never used
	s.stop()
	select {
	case <-s.stopped:
	case <-time.After(3 * patience):
		t.Fatal("the service does not stop")
	}
	if s.err != nil {
		t.Errorf("the service ended with %v", s.err)
	}
	s.checkOutput(t)
}

// answer is an answer that was read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request and checks what is true of every answer. The path may have a query.
func (s *service) ask(t *testing.T, method, path string, header map[string]string, body io.Reader) answer {
	t.Helper()
	a, err := s.try(context.Background(), method, path, header, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	checkAnswer(t, method, path, a)
	return a
}

// try sends a request; unlike ask it may be used by any goroutine.
func (s *service) try(ctx context.Context, method, path string, header map[string]string, body io.Reader) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	response, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if !isProbe(method, path) && !bytes.Contains(text, []byte(`"code":"too_busy"`)) { // those have one line together
		s.asked.Add(1)
	}
	return answer{status: response.StatusCode, header: response.Header, body: text}, err
}

// isProbe says whether a request is a health check, which is logged at DEBUG.
func isProbe(method, path string) bool {
	path, _, _ = strings.Cut(path, "?")
	return (method == http.MethodGet || method == http.MethodHead) &&
		slices.Contains([]string{"/health", "/health/live", "/health/ready"}, path)
}

// get returns the body of a successful answer.
func (s *service) get(t *testing.T, path string) []byte {
	t.Helper()
	a := s.ask(t, http.MethodGet, path, nil, nil)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: status %d\n%s", path, a.status, a.body)
	}
	return a.body
}

// place places an order and returns its id.
func (s *service) place(t *testing.T, body string) string {
	t.Helper()
	a := s.ask(t, http.MethodPost, "/orders", nil, strings.NewReader(body))
	if a.status != http.StatusCreated {
		t.Fatalf("status %d\n%s", a.status, a.body)
	}
	return text(t, a.body, "id")
}

// manifest returns the manifest of an order, nil if there is none.
func (s *service) manifest(t *testing.T, order string) []byte {
	t.Helper()
	kept, err := os.ReadFile(filepath.Join(s.bucket(), order+".json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	return bytes.TrimSuffix(kept, []byte("\n"))
}

// bucket is the folder of the manifests.
func (h *home) bucket() string { return filepath.Join(h.dir, "s3", "orders-manifest") }
