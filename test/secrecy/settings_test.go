package secrecy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/secrecy"
)

// values are a marker in each form in which a wrong or a right setting may have it.
func values(m *secrecy.Markers, name string) []string {
	return []string{
		m.Text(name), "mongodb://user:" + m.Text(name+" in a connection string") + "@127.0.0.1:1/x", "mongodb://" + m.Text(name+" for a host") + ":x:y@",
		"authorization=" + m.Text(name+" as a header"), m.Text(name+" before a line break") + "\n" + m.Text(name+" behind it"), "\x00" + m.Text(name+" behind a zero"),
	}
}

// TestSettingsKeepQuiet gives secrets on every way that there is, right and wrong, and looks at what Load says, and at what a
// loaded configuration looks like however it is printed.
func TestSettingsKeepQuiet(t *testing.T) {
	t.Chdir(t.TempDir())
	m, tried := new(secrecy.Markers), 0
	try := func(row config.Row, src config.Source) {
		t.Helper()
		c, err := config.Load(src)
		said := fmt.Sprint(err)
		if c != nil {
			said += fmt.Sprint(c.Settings(), c.Warnings())
			if row.Secret { // nobody prints a Config; if somebody did, secrets would not be in it
				said += fmt.Sprintf("%v %+v %#v %v", c, c, c, *c)
			}
		}
		for _, sighting := range m.Seen(said) {
			t.Errorf("%.300s", sighting)
		}
		tried++
	}
	for _, row := range config.Table() {
		all := values(m, row.Name)
		if !row.Secret {
			all = all[:1]
		}
		for _, value := range all {
			// Whatever comes from a secret is one, of every setting; and so is what can't be read.
			for _, secret := range []string{encoded(row.Name, value), value, `{"` + row.Name + `":["` + value + `"]}`, `{"` + row.Name + `":"` + value} {
				read := func([]string) ([]string, error) { return []string{secret}, nil }
				try(row, config.Source{Environ: []string{"SECRETS_ID=one"}, Secrets: read})
				if row.OfMongoDB {
					try(row, config.Source{Environ: []string{"MONGO_SECRET_ID=one"}, Secrets: read})
				}
			}
			if row.Secret {
				try(row, config.Source{Environ: []string{row.Name + "=" + value}})
				try(row, config.Source{Flags: map[string]string{row.Name: value}})
				write(t, ".env", row.Name+"='"+strings.ReplaceAll(value, "\x00", "")+"'\n")
				try(row, config.Source{EnvFile: ".env"})
				write(t, ".env", row.Name+"="+value+"'\"\n{\n")
				try(row, config.Source{EnvFile: ".env"})
				write(t, "value", value)
				try(row, config.Source{Environ: []string{row.Name + "_FILE=value"}})
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d configurations were tried", tried)
	}
}

func encoded(name, value string) string {
	return fmt.Sprintf(`{%q: %q}`, name, value)
}

// TestCommandsKeepQuiet runs commands that need secrets, where they are of no use.
func TestCommandsKeepQuiet(t *testing.T) {
	m, dir := new(secrecy.Markers), t.TempDir()
	t.Chdir(dir)
	write(t, "orders.ndjson", `{"reference":"r-1","customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":1}]}`+"\n")
	write(t, ".env", "MONGO_PASSWORD="+m.Text("MONGO_PASSWORD in .env")+"\n")
	write(t, "key", m.Text("a file of ORDERS_API_KEY"))
	for name, value := range secretSettings(m) {
		t.Setenv(name, value)
	}
	t.Setenv("MONGO_PASSWORD", "")
	look := func(code int, arguments ...string) {
		t.Helper()
		out, problems := orders(t, code, arguments...)
		for _, sighting := range m.Seen(out + problems) {
			t.Errorf("orders %s: %.800s", strings.Join(arguments, " "), sighting)
		}
		if out+problems == "" {
			t.Errorf("orders %s says nothing", strings.Join(arguments, " "))
		}
	}
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, fmt.Sprint(r.Header), http.StatusUnauthorized)
	}))
	defer refusing.Close()
	refused := []string{"import", "--url", refusing.URL, "orders.ndjson"}
	look(cli.ExitOK, "config")
	look(cli.ExitOK, "config", "--output", "json")
	look(cli.ExitFailure, refused...)
	t.Setenv("ORDERS_TOKEN", "")
	t.Setenv("ORDERS_API_KEY_FILE", filepath.Join(dir, "key"))
	look(cli.ExitFailure, refused...)
	t.Setenv("MONGO_URI", "mongodb://u:"+m.Text("MONGO_URI")+"@127.0.0.1:1/x")
	t.Setenv("MONGO_TIMEOUT", "100ms")
	look(cli.ExitOK, "config")
	look(cli.ExitFailure, "mongo", "migrate", "--dry-run")
	t.Setenv("MONGO_URI", "mongodb://"+m.Text("MONGO_URI that is none")+":x@y:z:1")
	look(cli.ExitUsage, "mongo", "migrate", "--dry-run")
}
