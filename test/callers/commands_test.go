package callers_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"order-processing-service/internal/interfaces/cli"
)

// devToken makes a development token in the working folder.
func devToken(t *testing.T, args ...string) string {
	t.Helper()
	code, out, problem := orders(t, append([]string{"token"}, args...)...)
	if code != cli.ExitOK || problem != "" {
		t.Fatalf("token: exit code %d, %s", code, problem)
	}
	return strings.TrimSpace(out)
}

// TestDevelopmentToken is the minute in which a developer tries the service with tokens, with the settings that the help
// names.
func TestDevelopmentToken(t *testing.T) {
	t.Chdir(t.TempDir())
	admin := devToken(t)
	_, help, _ := orders(t, "token", "--help")
	const settings = "AUTH=jwt JWT_PUBLIC_KEY_FILE=data/dev-token.pub.pem JWT_ISSUER=orders-dev JWT_AUDIENCE=orders"
	if !strings.Contains(help, settings) {
		t.Fatalf("the help does not name the settings:\n%s", help)
	}
	s := start(t, strings.Fields(settings)...)
	if a := s.get(t, admin); a.status != http.StatusOK {
		t.Errorf("a development token: %d %s", a.status, a.body)
	}
	if a := s.get(t, devToken(t, "--scope", "orders:write", "--subject", "ana", "--lifetime", "8h")); a.status != http.StatusForbidden {
		t.Errorf("without the scope: %d %s", a.status, a.body)
	}
	for _, name := range []string{"data/dev-token.key.pem", "data/dev-token.pub.pem"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}

	t.Run("import", func(t *testing.T) {
		const lines = `{"reference":"r-1","customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":1}]}` + "\n"
		if err := os.WriteFile("orders.ndjson", []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, problem := orders(t, "import", "--url", s.url, "orders.ndjson"); code != cli.ExitFailure || !strings.Contains(problem, "does not say who calls") {
			t.Errorf("without a token: exit code %d, %s", code, problem)
		}
		t.Setenv("ORDERS_TOKEN", admin)
		if code, out, problem := orders(t, "import", "--url", s.url, "orders.ndjson"); code != cli.ExitOK {
			t.Errorf("with a token: exit code %d, %s %s", code, out, problem)
		}
		if a := s.get(t, admin); !strings.Contains(a.body, `"customer_id":"c-1"`) {
			t.Errorf("nothing was imported: %s", a.body)
		}
		t.Setenv("ORDERS_API_KEY", "k")
		if code, _, problem := orders(t, "import", "--url", s.url, "orders.ndjson"); code != cli.ExitUsage || !strings.Contains(problem, "keep one of them") {
			t.Errorf("with both: exit code %d, %s", code, problem)
		}
	})
	t.Run("refused", func(t *testing.T) {
		if code, _, problem := orders(t, "token", "--customer", "c-1"); code != cli.ExitUsage || !strings.Contains(problem, "JWT_CUSTOMER_CLAIM") {
			t.Errorf("a customer without a claim: %d, %s", code, problem)
		}
		t.Setenv("APP_ENV", "production")
		if code, out, problem := orders(t, "token"); code != cli.ExitUsage || out != "" || !strings.Contains(problem, "APP_ENV=production") {
			t.Errorf("in production: %d, %s", code, problem)
		}
	})
}

// TestImportWithAKey sends an API key, and never to where the service would send it on.
func TestImportWithAKey(t *testing.T) {
	t.Chdir(t.TempDir())
	secret, entry := newKey(t, "--name", "loader", "--scope", "orders:write")
	writeKeys(t, "keys.json", "["+string(entry)+"]")
	s := start(t, "AUTH=keys", "API_KEYS_FILE=keys.json")
	const lines = `{"reference":"r-1","customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":1}]}` + "\n"
	if err := os.WriteFile("orders.ndjson", []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("secret", []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ORDERS_API_KEY_FILE", "secret")
	if code, out, problem := orders(t, "import", "--url", s.url, "orders.ndjson"); code != cli.ExitOK {
		t.Errorf("with a key: exit code %d, %s %s", code, out, problem)
	}
}

// Who is no admin is kept to the customer in the token; nobody sees the subject in the log.
func TestCustomerClaim(t *testing.T) {
	k := newKeyring(t)
	s := k.start(t, "JWT_CUSTOMER_CLAIM=https://shop.example/customer", "LOG_SUBJECT=hash")
	token := func(scopes string, customer any) string {
		return "Authorization: Bearer " + k.p256.token("ES256", object{"scope": scopes, "https://shop.example/customer": customer})
	}
	const both = "orders:read orders:write"
	for name, tt := range map[string]struct {
		token  string
		status int
		code   string
	}{
		"own":                 {token(both, "c-1"), 201, ""},
		"another's":           {token(both, "c-2"), 403, "customer_forbidden"},
		"no claim":            {token(both, nil), 403, "customer_missing"},
		"empty":               {token(both, ""), 403, "customer_missing"},
		"a number":            {token(both, 1), 403, "customer_missing"},
		"a list":              {token(both, []string{"c-1"}), 403, "customer_missing"},
		"long":                {token(both, strings.Repeat("c", 2000)), 403, "customer_missing"},
		"no scopes, no claim": {token("", nil), 403, "customer_missing"},
		"an admin":            {token("orders:admin", nil), 201, ""},
		"an admin, another's": {token("orders:admin", "c-2"), 201, ""},
	} {
		if a := s.send(t, "POST", "/orders", tea, tt.token); a.status != tt.status || a.code != tt.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	// The first 16 digits of the SHA-256 of "ana".
	eventually(t, "the log names the caller", func() bool { return strings.Contains(s.out.String(), `"subject":"24d4b96f58da6d4a"`) })
	if log := s.out.String(); strings.Contains(log, `"ana"`) {
		t.Errorf("the log names who called as it is:\n%s", log)
	}
}

// TestProduction holds what a start in production asks for.
func TestProduction(t *testing.T) {
	k := newKeyring(t)
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys.json")
	writeKeys(t, keys, "[]")
	safe := []string{"APP_ENV=production", "AUTH=keys", "API_KEYS_FILE=" + keys, "HOST=127.0.0.1", "PORT=0", "DATA_DIR=" + dir}
	for name, tt := range map[string]struct {
		settings []string
		want     []string // lines; none when it starts
	}{
		"nothing set":       {[]string{"AUTH=none", "API_KEYS_FILE="}, []string{"AUTH=none lets everybody do everything"}},
		"tokens of anybody": {[]string{"AUTH=jwt", "JWT_ISSUER=orders-dev", "JWT_AUDIENCE=a", "JWT_JWKS_FILE=" + k.jwks}, []string{"JWT_ISSUER=orders-dev is the issuer of development tokens"}},
		"keys of anybody": {
			[]string{"AUTH=jwt", "JWT_ISSUER=orders", "JWT_AUDIENCE=a", "JWT_PUBLIC_KEY_FILE=data/dev-token.pub.pem"},
			[]string{"JWT_PUBLIC_KEY_FILE=data/dev-token.pub.pem is the key of development tokens"},
		},
		"default password":   {[]string{"MONGO_HOST=127.0.0.1"}, []string{"the password of MongoDB is the default one"}},
		"the same in a URI":  {[]string{"MONGO_URI=mongodb://root:s%65cret@a:1,b:2/db"}, []string{"the password of MongoDB is the default one"}},
		"every address":      {[]string{"HOST=0.0.0.0"}, []string{"HOST=0.0.0.0 can be reached from other machines"}},
		"every address, IP6": {[]string{"HOST=::"}, []string{"HOST=:: can be reached"}},
		"a name":             {[]string{"HOST=orders.example"}, []string{"HOST=orders.example can be reached"}},
		"all at once": {
			[]string{"AUTH=none", "API_KEYS_FILE=", "HOST=0.0.0.0", "MONGO_HOST=db"},
			[]string{"AUTH=none", "the password of MongoDB", "HOST=0.0.0.0"},
		},
		"AUTH=gateway":          {[]string{"AUTH=gateway"}, []string{"AUTH=gateway believes what API Gateway says"}},
		"safe":                  {nil, nil},
		"behind a proxy":        {[]string{"HOST=0.0.0.0", "TRUST_PROXY=true"}, nil},
		"a password":            {[]string{"MONGO_HOST=127.0.0.1", "MONGO_PORT=1", "MONGO_PASSWORD=other"}, nil},
		"no sign-in":            {[]string{"MONGO_HOST=127.0.0.1", "MONGO_PORT=1", "MONGO_USER="}, nil},
		"no sign-in in the URI": {[]string{"MONGO_URI=mongodb://127.0.0.1:1/secret"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for _, pair := range append(append([]string{}, safe...), tt.settings...) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			problem := opened(t)
			if len(tt.want) == 0 && problem != "" || strings.Count(problem, "\n") != max(0, len(tt.want)-1) {
				t.Errorf("the start says %q", problem)
			}
			for _, want := range tt.want {
				if !strings.Contains(problem, want) {
					t.Errorf("the start does not say %q: %q", want, problem)
				}
			}
		})
	}
}
