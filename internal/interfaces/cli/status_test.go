package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/interfaces/cli"
)

var update = flag.Bool("update", false, "write the golden files")

// operated is a service at its admin address, in whose clock nothing takes time but the pauses of the command.
type operated struct {
	*httptest.Server
	now     time.Time
	metrics []string     // the answers of /metrics, the last one again and again
	kind    string       // their Content-Type
	ready   int          // the status of /health/ready
	pauses  atomic.Int64 // so far
	away    int64        // after so many pauses nobody answers; 0 for never
	during  func(pause int) error
}

func newOperated(t *testing.T, metrics ...string) *operated {
	t.Helper()
	s := &operated{
		now: time.Unix(1_795_860_000, 0).Add(76*time.Hour + 5*time.Minute), metrics: metrics,
		kind: "text/plain; version=0.0.4; charset=utf-8", ready: http.StatusOK,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"ok","service":"order-processing-service","version":"1.2.3"}`))
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(s.ready)
		if s.ready != http.StatusOK {
			_, _ = w.Write([]byte(`{"code":"store_unavailable","error":"the orders can't be reached at the moment; try again"}`))
		}
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", s.kind)
		_, _ = w.Write([]byte(s.metrics[0]))
		if len(s.metrics) > 1 {
			s.metrics = s.metrics[1:]
		}
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.away > 0 && s.pauses.Load() == s.away {
			panic(http.ErrAbortHandler)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// status runs the command.
func (s *operated) status(ctx context.Context, asJSON bool, watch time.Duration) (out string, err error) {
	var b bytes.Buffer
	wait := func(ctx context.Context, d time.Duration) error {
		pause := s.pauses.Add(1)
		s.now = s.now.Add(d)
		if s.during != nil {
			if err := s.during(int(pause)); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	err = cli.StatusRun(ctx, cli.Streams{Out: &b}, s.URL, asJSON, watch, func() time.Time { return s.now }, wait)
	return strings.ReplaceAll(b.String(), s.URL, "http://127.0.0.1:9464"), err
}

// recorded is what a service has said of itself.
func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("status", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// golden compares an output with that in a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if diff := cmp.Diff(string(want), got); err != nil || diff != "" {
		t.Errorf("%s differs (-want +got): %v\n%s", path, err, diff)
	}
}

func TestStatus(t *testing.T) {
	for name, asJSON := range map[string]bool{"status.txt": false, "status.json": true} {
		t.Run(name, func(t *testing.T) {
			s := newOperated(t, recorded(t, "before.prom"), recorded(t, "after.prom"))
			out, err := s.status(t.Context(), asJSON, 0)
			if err != nil || s.pauses.Load() != 1 {
				t.Errorf("it ends with %v after %d pauses", err, s.pauses.Load())
			}
			golden(t, name, out)
			for line := range strings.Lines(out) {
				if n := len([]rune(line)) - 1; n > 80 && !asJSON {
					t.Errorf("%d characters wide: %s", n, line)
				}
			}
		})
	}
}

func TestStatusNotReady(t *testing.T) {
	s := newOperated(t, recorded(t, "after.prom"))
	s.ready = http.StatusServiceUnavailable
	out, err := s.status(t.Context(), false, 0)
	const reason = "answered 503 Service Unavailable: the orders can't be reached at the moment"
	if err == nil || !strings.Contains(err.Error(), "not ready: GET "+s.URL+"/health/ready "+reason) || !strings.Contains(out, "NOT READY") {
		t.Errorf("it ends with %v and\n%s", err, out)
	}
}

func TestStatusOfNobody(t *testing.T) {
	s := newOperated(t)
	s.URL = "http://127.0.0.1:1"
	out, err := s.status(t.Context(), false, 0)
	if err == nil || !strings.Contains(err.Error(), "is the service running there?") || out != "" || s.pauses.Load() != 0 {
		t.Errorf("it ends with %v after %d pauses and\n%s", err, s.pauses.Load(), out)
	}
	out, err = s.status(t.Context(), true, 0)
	var report map[string]any
	if jsonErr := json.Unmarshal([]byte(out), &report); err == nil || jsonErr != nil || report["live"] != false || report["requests"] != nil {
		t.Errorf("it ends with %v, %v and\n%s", err, jsonErr, out)
	}
}

// TestStatusOfTheAPI gives addresses at which somebody answers who tells no metrics.
func TestStatusOfTheAPI(t *testing.T) {
	api := http.NewServeMux()
	api.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	api.HandleFunc("GET /health/ready", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(api)
	defer server.Close()
	page := newOperated(t, "<html>welcome</html>")
	page.kind = "text/html"
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	for url, want := range map[string]string{
		other.URL:  "/health answered 404 Not Found: give the admin address",
		server.URL: "/metrics answered 404 Not Found: give the admin address", page.URL: "and no metrics: give the admin address",
	} {
		got := run(t, commands(), "status", "--url", url)
		if got.code != cli.ExitUsage || !strings.Contains(got.err, want) || strings.Count(got.err, "\n") != 1 || got.out != "" {
			t.Errorf("outcome %+v, want %q", got, want)
		}
	}
}

func TestStatusSettings(t *testing.T) {
	c := commands()
	c.Admin = func() (string, error) { return "", cli.UsageError{Err: errors.New("ADMIN_ADDR is off")} }
	if got := run(t, c, "status"); got.code != cli.ExitUsage || got.err != "orders: ADMIN_ADDR is off\n" {
		t.Errorf("outcome %+v", got)
	}
	for _, watch := range []string{"--watch=1ms", "--watch=2h", "--watch=often"} {
		if got := run(t, commands(), "status", watch); got.code != cli.ExitUsage || !strings.Contains(got.err, "give a duration from 200ms to 1h") {
			t.Errorf("%s: outcome %+v", watch, got)
		}
	}
}

// TestStatusWatch watches a service that is restarted, goes away and comes back, until it is stopped.
func TestStatusWatch(t *testing.T) {
	for name, asJSON := range map[string]bool{"status_watch.txt": false, "status_watch.ndjson": true} {
		t.Run(name, func(t *testing.T) {
			again := strings.NewReplacer("1.79586e+09", "1.795860002e+09", "5812", "7").Replace(recorded(t, "after.prom"))
			s := newOperated(t, recorded(t, "before.prom"), recorded(t, "after.prom"), again)
			ctx, stop := context.WithCancel(t.Context())
			s.away = 3
			s.during = func(pause int) error {
				if pause == 5 {
					stop()
				}
				return nil
			}
			out, err := s.status(ctx, asJSON, 2*time.Second)
			if err != nil {
				t.Errorf("it ends with %v, want how the service was last", err)
			}
			golden(t, name, out)
		})
	}
}
