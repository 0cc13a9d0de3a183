package secrecy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/process"
	"order-processing-service/test/secrecy"
)

func TestMain(m *testing.M) { process.Main(m) }

// service is the program as a process of its own, with everything that it writes.
type service struct {
	*process.Process

	dir, output string
	markers     *secrecy.Markers
	client      *http.Client
	statuses    map[int]int    // how often each was answered
	best        map[string]int // the lowest status of each operation
}

// start starts the program at DEBUG with a marker in each setting that is a secret, and in the folder's .env what stands in
// dotenv. Settings win over those.
func start(t *testing.T, m *secrecy.Markers, dir string, settings map[string]string) *service {
	t.Helper()
	all := secretSettings(m)
	maps.Copy(all, map[string]string{
		"LOG_LEVEL": "DEBUG", "EVENTS": "none", "MANIFESTS": "none", "LOG_SUBJECT": "hash",
		"TRUSTED_PROXIES": "127.0.0.0/8", "CORS_ALLOWED_ORIGINS": "https://shop.example",
	})
	maps.Copy(all, settings)
	s := &service{
		dir: dir, output: filepath.Join(dir, "output"), markers: m, statuses: make(map[int]int), best: make(map[string]int),
		client: &http.Client{Timeout: process.Patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	s.Process = process.Start(t, process.Config{Dir: dir, Output: s.output, Settings: all})
	s.AwaitURL(t)
	return s
}

// secretSettings has a marker in each setting that the table calls a secret, but for those that can't stand beside others.
func secretSettings(m *secrecy.Markers) map[string]string {
	all := make(map[string]string)
	for _, row := range config.Table() {
		switch {
		case !row.Secret, row.Name == "MONGO_URI", row.Name == "ORDERS_API_KEY":
			// The first decides where orders are, and the second excludes ORDERS_TOKEN; they have tests of their own.
		case strings.HasSuffix(row.Name, "_HEADERS"):
			all[row.Name] = "authorization=" + m.Text(row.Name)
		default:
			all[row.Name] = m.Text(row.Name)
		}
	}
	return all
}

// ask sends a request, and returns the status. A request that is cut off counts with status 0: what is logged of it counts.
func (s *service) ask(t *testing.T, r secrecy.Request, header map[string]string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), r.Method, s.URL()+r.Path, strings.NewReader(r.Body))
	if err != nil {
		t.Fatalf("%s: %v", r.Place, err)
	}
	for _, lines := range []map[string]string{header, r.Header} {
		for name, value := range lines {
			if name == "Host" {
				request.Host = value
				continue
			}
			request.Header.Set(name, value)
		}
	}
	response, err := s.client.Do(request)
	if err != nil {
		s.statuses[0]++
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Errorf("%s %s: %v", r.Method, r.Path, err)
	}
	s.statuses[response.StatusCode]++
	if best, asked := s.best[r.Operation]; !asked || response.StatusCode < best {
		s.best[r.Operation] = response.StatusCode
	}
	return response.StatusCode
}

// read sends a request that must succeed, and reads the JSON of its answer.
func (s *service) read(t *testing.T, r secrecy.Request, header map[string]string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), r.Method, s.URL()+r.Path, strings.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, lines := range []map[string]string{header, r.Header} {
		for name, value := range lines {
			request.Header.Set(name, value)
		}
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %d, %v", r.Method, r.Path, response.StatusCode, err)
	}
}

// say sends bytes to an address, and takes what comes until the other side closes.
func say(t *testing.T, url, text string) {
	t.Helper()
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_, _ = io.WriteString(connection, text) // the other side may have closed it by then, as it should
	if half, ok := connection.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, connection)
}

// contract reads the document that the program serves.
func (s *service) contract(t *testing.T) *secrecy.Contract {
	t.Helper()
	c, err := secrecy.ReadContract(s.Get(t, "/openapi.json"), s.markers)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// written is all that the process has written; it must have ended.
func (s *service) written(t *testing.T) string {
	t.Helper()
	log, err := os.ReadFile(s.output)
	if err != nil {
		t.Fatal(err)
	}
	return string(log) + s.Stderr()
}

// wrote waits until the log has a line with a text.
func (s *service) wrote(t *testing.T, text string) {
	t.Helper()
	process.Await(t, text, func() bool { return s.hasWritten(t, text) })
}

func (s *service) hasWritten(t *testing.T, text string) bool {
	t.Helper()
	log, err := os.ReadFile(s.output)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(log, []byte(text))
}

// admin is the address of the endpoints for operators.
func (s *service) admin(t *testing.T) string {
	t.Helper()
	s.wrote(t, `"message":"admin endpoints"`)
	for _, line := range process.ReadLines(t, s.output) {
		if line.Message == "admin endpoints" {
			return line.URL
		}
	}
	return ""
}

// keepsQuiet fails the test for each marker in the text, but where a line is excused.
func keepsQuiet(t *testing.T, m *secrecy.Markers, text string, excused *regexp.Regexp) {
	t.Helper()
	if lines := strings.Count(text, "\n"); lines < 10 {
		t.Errorf("only %d lines were written; what was looked at?\n%s", lines, text)
	}
	shown := 0
	for _, sighting := range m.Seen(text) {
		if excused != nil && excused.MatchString(sighting.Line) {
			continue
		}
		shown++
		if shown <= 20 {
			t.Errorf("%.1500s", sighting)
		}
	}
	if shown > 20 {
		t.Errorf("and %d more", shown-20)
	}
	t.Logf("%d markers, %d lines", m.Planted(), strings.Count(text, "\n"))
}

// orders runs a command of the program in this process, and returns what it writes.
func orders(t *testing.T, wantCode int, arguments ...string) (out, problems string) {
	t.Helper()
	var o, e bytes.Buffer
	streams := cli.Streams{In: strings.NewReader(""), Out: &o, Err: &e}
	if code := cli.Run(context.WithoutCancel(t.Context()), bootstrap.Commands(), arguments, streams); code != wantCode {
		t.Fatalf("orders %s: exit code %d, not %d\n%s", strings.Join(arguments, " "), code, wantCode, e.String())
	}
	return o.String(), e.String()
}
