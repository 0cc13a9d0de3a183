package image_test

import (
	"bytes"
	"debug/elf"
	"encoding/pem"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const newOrder = `{"customer_id":"c-1","items":[{"sku":"A","quantity":1,"unit_price":"9.99"}]}`

func TestImage(t *testing.T) {
	c := build(t)
	t.Run("NeedsNoLibrary", c.needsNoLibrary)
	t.Run("HoldsThisAlone", c.holdsThisAlone)
	t.Run("OwnsDataAndTmpAlone", c.ownsDataAndTmpAlone)
	t.Run("SaysItsVersion", c.saysItsVersion)
	t.Run("KeepsAnOrderInData", c.keepsAnOrderInData)
	t.Run("WritesNowhereElse", c.writesNowhereElse)
	t.Run("FindsCertificates", c.findsCertificates)
	t.Run("FindsTimeZones", c.findsTimeZones)
}

// Nothing is there that could link the program when it starts.
func (c container) needsNoLibrary(t *testing.T) {
	program, err := elf.Open(c.path(c.said.Entrypoint[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is not static: it has a part %v", part.Type)
		}
	}
}

func (c container) holdsThisAlone(t *testing.T) {
	var files []string
	c.walk(t, func(path string, info fs.FileInfo) {
		if !info.IsDir() {
			files = append(files, path)
		}
	})
	if want := []string{"etc/ssl/certs/ca-certificates.crt", "orders"}; !slices.Equal(files, want) {
		t.Errorf("the image holds %q, want %q: no shell, and no other program", files, want)
	}
}

func (c container) ownsDataAndTmpAlone(t *testing.T) {
	user, group := ids(t, c.said.User)
	var writable []string
	c.walk(t, func(path string, info fs.FileInfo) {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			t.Fatalf("%s: no owner is known", path)
		}
		mode := info.Mode().Perm()
		if owner.Uid == user && mode&0o200 != 0 || owner.Gid == group && mode&0o020 != 0 || mode&0o002 != 0 {
			writable = append(writable, path)
		}
	})
	if want := []string{"data", "tmp"}; !slices.Equal(writable, want) {
		t.Errorf("the image's user may write %q, want %q", writable, want)
	}
}

// walk tells all that is in the image, in the order of the paths, which begin with no slash.
func (c container) walk(t *testing.T, see func(path string, info fs.FileInfo)) {
	t.Helper()
	err := filepath.Walk(c.root, func(path string, info fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(c.root, path)
		see(inside, info)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c container) saysItsVersion(t *testing.T) {
	if output, code := c.run(t, "", []string{"version"}); code != 0 || !strings.Contains(output, version) || !strings.Contains(output, revision[:7]) {
		t.Errorf("orders version ended with %d: %s", code, output)
	}
}

func (c container) keepsAnOrderInData(t *testing.T) {
	s := c.serve(t)
	if status, body := ask(t, http.MethodGet, s.url+"/health", ""); status != http.StatusOK {
		t.Errorf("GET /health: %d %s", status, body)
	}
	if status, body := ask(t, http.MethodPost, s.url+"/orders", newOrder); status != http.StatusCreated {
		t.Errorf("POST /orders: %d %s", status, body)
	}
	user, _ := ids(t, c.said.User)
	kept, err := os.Stat(c.path("/data/orders.db"))
	if err != nil {
		t.Fatal(err)
	}
	if owner, ok := kept.Sys().(*syscall.Stat_t); !ok || owner.Uid != user {
		t.Errorf("orders.db is not the image's user's: %+v", kept.Sys())
	}

	check := append(slices.Clone(c.said.Healthcheck[1:]), "--timeout", "30s")
	if output, code := c.run(t, "", check, "PORT="+s.port); code != 0 {
		t.Errorf("the health check of a healthy service ended with %d: %s", code, output)
	}
	s.stop()
	if output, code := c.run(t, "", check, "PORT=1"); code != 1 { // nobody else is given that one
		t.Errorf("the health check of a service that is gone ended with %d: %s", code, output)
	}
}

func (c container) writesNowhereElse(t *testing.T) {
	output, code := c.run(t, "", c.said.Command, "DATA_DIR=/elsewhere", "PORT=0")
	if code == 0 || !strings.Contains(output, "permission denied") {
		t.Errorf("a service that is to keep its orders beside /data ended with %d: %s", code, output)
	}
}

// The program is asked to speak TLS with a server whose authority is in the image's file of certificates, and only there.
func (c container) findsCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // being refused is part of the test
	server.StartTLS()
	defer server.Close()
	check := []string{"healthcheck", "--timeout", "30s", "--url", server.URL}
	if output, code := c.run(t, "", check); code != 1 || !strings.Contains(output, "unknown authority") {
		t.Errorf("a server that nobody vouches for: ended with %d: %s", code, output)
	}

	const file = "etc/ssl/certs/ca-certificates.crt"
	known, err := c.inside.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if roots := bytes.Count(known, []byte("BEGIN CERTIFICATE")); roots < 50 {
		t.Errorf("the image knows %d authorities", roots)
	}
	defer func() {
		if err := c.inside.WriteFile(file, known, 0o600); err != nil {
			t.Error(err)
		}
	}()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := c.inside.WriteFile(file, append(bytes.Clone(known), authority...), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, code := c.run(t, "", check); code != 0 {
		t.Errorf("a server that the image's certificates vouch for: ended with %d: %s", code, output)
	}
}

func (c container) findsTimeZones(t *testing.T) {
	importing := []string{"import", "-", "--dry-run", "--time-zone"}
	if output, code := c.run(t, newOrder+"\n", append(importing, "Europe/London")); code != 0 {
		t.Errorf("a zone that there is: ended with %d: %s", code, output)
	}
	if output, code := c.run(t, newOrder+"\n", append(importing, "Europe/Atlantis")); code != 2 {
		t.Errorf("a zone that there is not: ended with %d: %s", code, output)
	}
}

// ask sends a request with a JSON body and returns the answer.
func ask(t *testing.T, method, url, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
