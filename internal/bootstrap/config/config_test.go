package config_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/bootstrap/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testdata is absolute because tests change the working directory.
var testdata, _ = filepath.Abs("testdata")

// golden compares got with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(testdata, name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// inFolder makes a folder with the given files the working directory, so that relative names stay short and stable.
func inFolder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func mustLoad(t *testing.T, src config.Source) *config.Config {
	t.Helper()
	c, err := config.Load(src)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

func setting(t *testing.T, c *config.Config, name string) config.Setting {
	t.Helper()
	for _, s := range c.Settings() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %s", name)
	return config.Setting{}
}

func TestDefaults(t *testing.T) {
	c := mustLoad(t, config.Source{})
	var listing strings.Builder
	for _, s := range c.Settings() {
		fmt.Fprintf(&listing, "%s=%s (%s; default %q; secret %t)\n  %s\n  %s\n",
			s.Name, s.Value, s.Source, s.Default, s.Secret, s.Description, s.Allowed)
	}
	golden(t, "defaults.golden", listing.String())

	if c.Port != 8000 || c.LogLevel.Level() != slog.LevelInfo || c.ReadTimeout != 30*time.Second || c.MaxBodyBytes != 1<<20 {
		t.Errorf("typed values: port %d, level %v, read time-out %v, body %d", c.Port, c.LogLevel.Level(), c.ReadTimeout, c.MaxBodyBytes)
	}
	if c.MongoPassword != "secret" {
		t.Error("the predecessor's default password is not kept")
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	for _, s := range mustLoad(t, config.Source{}).Settings() {
		if s.Name == "" || s.Description == "" || s.Allowed == "" || strings.Contains(s.Description, "\n") {
			t.Errorf("incomplete setting %+v", s)
		}
	}
}

func TestPrecedence(t *testing.T) {
	tests := map[string]struct {
		flag, environ, dotenv string
		want                  int
		source                string
	}{
		"default":                       {want: 8000, source: "default"},
		".env":                          {dotenv: "PORT=1001", want: 1001, source: ".env"},
		"environment over .env":         {environ: "PORT=1002", dotenv: "PORT=1001", want: 1002, source: "environment"},
		"flag over environment":         {flag: "1003", environ: "PORT=1002", want: 1003, source: "flag --port"},
		"file named in environment":     {environ: "PORT_FILE=port.txt", dotenv: "PORT=1001", want: 1004, source: "file port.txt named by PORT_FILE"},
		"file named in .env":            {dotenv: "PORT_FILE=port.txt", want: 1004, source: "file port.txt named by PORT_FILE"},
		"value over file named in .env": {environ: "PORT=1002", dotenv: "PORT_FILE=port.txt", want: 1002, source: "environment"},
		"empty hides .env":              {environ: "PORT=", dotenv: "PORT=1001", want: 8000, source: "default"},
		"empty name of a file is unset": {environ: "PORT_FILE=", dotenv: "PORT=1001", want: 1001, source: ".env"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inFolder(t, map[string]string{".env": tt.dotenv + "\n", "port.txt": "1004\r\n"})
			src := config.Source{Environ: []string{tt.environ}, EnvFile: ".env"}
			if tt.flag != "" {
				src.Flags = map[string]string{"PORT": tt.flag}
			}
			c := mustLoad(t, src)
			if c.Port != tt.want {
				t.Errorf("port is %d, want %d", c.Port, tt.want)
			}
			if got := setting(t, c, "PORT").Source; got != tt.source {
				t.Errorf("source is %q, want %q", got, tt.source)
			}
		})
	}
}

func TestEmptyTextThatIsAValue(t *testing.T) {
	c := mustLoad(t, config.Source{Environ: []string{"MONGO_USER=", "MONGO_DB="}})
	if c.MongoUser != "" || c.MongoDB != "orders_db" {
		t.Errorf("user %q, database %q; want none, and the default", c.MongoUser, c.MongoDB)
	}
}

func TestLogLevels(t *testing.T) {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "Info": slog.LevelInfo, "WARN": slog.LevelWarn, "warning": slog.LevelWarn, "ERROR": slog.LevelError,
	}
	for text, want := range levels {
		c := mustLoad(t, config.Source{Environ: []string{"LOG_LEVEL=" + text}})
		if got := c.LogLevel.Level(); got != want {
			t.Errorf("LOG_LEVEL=%s is %v, want %v", text, got, want)
		}
	}
}

func TestEnvFile(t *testing.T) {
	t.Run("missing is fine", func(t *testing.T) {
		mustLoad(t, config.Source{EnvFile: filepath.Join(t.TempDir(), ".env")})
	})
	t.Run("byte-order mark, Windows lines, quotes, export and comments", func(t *testing.T) {
		inFolder(t, map[string]string{".env": "\xef\xbb\xbfPORT=9000\r\n# all of them\r\nexport HOST=0.0.0.0 # yes\r\nMONGO_PASSWORD='a$b #c'\r\n"})
		c := mustLoad(t, config.Source{EnvFile: ".env"})
		if c.Port != 9000 || c.Host != "0.0.0.0" || c.MongoPassword != "a$b #c" {
			t.Errorf("read port %d, host %q, password %q", c.Port, c.Host, string(c.MongoPassword))
		}
	})
	t.Run("broken shows the line and no content", func(t *testing.T) {
		inFolder(t, map[string]string{".env": "PORT=9000\n\nMONGO-PASSWORD=hunter2\nHOST=::1\n"})
		_, err := config.Load(config.Source{EnvFile: ".env"})
		if err == nil || !strings.HasPrefix(err.Error(), ".env line 3 is not understood: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("a folder", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if err := os.Mkdir(".env", 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(config.Source{EnvFile: ".env"})
		if err == nil || !strings.HasPrefix(err.Error(), ".env cannot be read") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("slips of the finger", func(t *testing.T) {
		inFolder(t, map[string]string{".env": "PROT=1\nport=2\nMONGO_PASWORD=x\nMONGO_INITDB_ROOT_PASSWORD=x\nAWS_REGION=eu\nPORT=9000\n"})
		want := []string{
			"MONGO_PASWORD in .env is not a setting; did you mean MONGO_PASSWORD?",
			"PROT in .env is not a setting; did you mean PORT?",
			"port in .env is not a setting; did you mean PORT?",
		}
		if diff := cmp.Diff(want, mustLoad(t, config.Source{EnvFile: ".env"}).Warnings()); diff != "" {
			t.Errorf("warnings (-want +got):\n%s", diff)
		}
	})
}

func TestSecretsAreMasked(t *testing.T) {
	const marker = "hunter2"
	c := mustLoad(t, config.Source{Environ: []string{"MONGO_PASSWORD=" + marker}})
	if c.MongoPassword != marker {
		t.Fatal("the secret itself is lost")
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("settings", "config", c, "password", c.MongoPassword)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("settings", "config", c, "password", c.MongoPassword)
	outputs := map[string]string{
		"listing": fmt.Sprint(c.Settings()),
		"%v":      fmt.Sprintf("%v", c),
		"%+v":     fmt.Sprintf("%+v", *c),
		"%#v":     fmt.Sprintf("%#v", c),
		"%s %q":   fmt.Sprintf("%s %q %x %d", c.MongoPassword, c.MongoPassword, c.MongoPassword, c.MongoPassword),
		"JSON":    string(encoded),
		"log":     logged.String(),
	}
	for way, output := range outputs {
		if strings.Contains(output, marker) || strings.Contains(output, "68756e746572") || !strings.Contains(output, "****") {
			t.Errorf("%s shows %s", way, output)
		}
	}
	if got := setting(t, c, "MONGO_URI").Value; got != "" {
		t.Errorf("an unset secret is listed as %q", got)
	}
}

func TestURL(t *testing.T) {
	urls := map[string]string{
		"127.0.0.1": "http://127.0.0.1:80", "0.0.0.0": "http://127.0.0.1:80", "::": "http://[::1]:80",
		"::1": "http://[::1]:80", "orders.example": "http://orders.example:80",
	}
	for host, want := range urls {
		c := mustLoad(t, config.Source{Environ: []string{"HOST=" + host, "PORT=0"}})
		if got := c.URL(80); got != want {
			t.Errorf("URL of %s is %s, want %s", host, got, want)
		}
	}
	if got := mustLoad(t, config.Source{Environ: []string{"HOST=::1"}}).Address(); got != "[::1]:8000" {
		t.Errorf("address is %s", got)
	}
}
