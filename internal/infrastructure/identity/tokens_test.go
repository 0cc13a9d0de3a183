package identity_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/identity"
)

// now is the time in these tests.
var now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that is set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// checker returns what checks tokens of a key that it makes.
func checker(tb testing.TB, c *clock, customerClaim string) (*identity.DevKey, *identity.Tokens) {
	tb.Helper()
	key, err := identity.OpenDevKey(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	source, err := identity.PEMKeys(key.PublicFile, slog.New(slog.DiscardHandler), c.now)
	if err != nil {
		tb.Fatal(err)
	}
	return key, identity.NewTokens(identity.TokensConfig{
		Issuer: identity.DevIssuer, Audience: identity.DevAudience, CustomerClaim: customerClaim, Now: c.now,
	}, source)
}

func mint(tb testing.TB, key *identity.DevKey, change func(*identity.DevToken)) string {
	tb.Helper()
	t := identity.DevToken{
		Issuer: identity.DevIssuer, Audience: identity.DevAudience, Subject: "ana", Scopes: access.Read | access.Write,
		Issued: now, Lifetime: time.Hour,
	}
	if change != nil {
		change(&t)
	}
	token, err := key.Mint(t)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

func TestCallerOfAToken(t *testing.T) {
	c := &clock{now}
	key, tokens := checker(t, c, "customer")
	tests := map[string]struct {
		change func(*identity.DevToken)
		want   access.Caller
	}{
		"a customer's": {
			func(t *identity.DevToken) { t.Customer, t.CustomerClaim = "c-1", "customer" },
			access.Caller{Subject: "ana", Scopes: access.Read | access.Write, Customer: "c-1"},
		},
		"an admin": {
			func(t *identity.DevToken) {
				t.Scopes, t.Customer, t.CustomerClaim = access.Admin, "c-1", "customer"
			},
			access.Caller{Subject: "ana", Scopes: access.Admin},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			caller, err := tokens.Identify(t.Context(), mint(t, key, tt.change))
			if diff := cmp.Diff(tt.want, caller); diff != "" || err != nil {
				t.Errorf("%v, caller (-want +got):\n%s", err, diff)
			}
		})
	}
}

// The leeway is a minute to the second, on both sides.
func TestLeeway(t *testing.T) {
	c := &clock{}
	key, tokens := checker(t, c, "")
	token := mint(t, key, nil)
	for after, want := range map[time.Duration]string{
		-time.Minute - time.Second:             "token_invalid",
		-time.Minute:                           "",
		time.Hour + time.Minute - time.Second:  "",
		time.Hour + time.Minute:                "token_expired",
		time.Hour + time.Minute + time.Second:  "token_expired",
		100 * 365 * 24 * time.Hour:             "token_expired",
		time.Hour + 59*time.Second + 999999999: "",
	} {
		c.at = now.Add(after)
		_, err := tokens.Identify(t.Context(), token)
		if code := codeOf(err); code != want {
			t.Errorf("after %v: %q, want %q", after, code, want)
		}
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

// TestKeyFileChanges changes the file of keys while it is in use.
func TestKeyFileChanges(t *testing.T) {
	c := &clock{now}
	var log bytes.Buffer
	dir := t.TempDir()
	old, err := identity.OpenDevKey(filepath.Join(dir, "old"))
	if err != nil {
		t.Fatal(err)
	}
	next, err := identity.OpenDevKey(filepath.Join(dir, "next"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "keys.pem")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.at = c.at.Add(time.Second)
	}
	public := func(k *identity.DevKey) string {
		t.Helper()
		text, err := os.ReadFile(k.PublicFile)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	put(public(old))
	source, err := identity.PEMKeys(path, slog.New(slog.NewTextHandler(&log, nil)), c.now)
	if err != nil {
		t.Fatal(err)
	}
	tokens := identity.NewTokens(identity.TokensConfig{Issuer: identity.DevIssuer, Audience: identity.DevAudience, Now: c.now}, source)
	check := func(what string, k *identity.DevKey, want string) {
		t.Helper()
		if _, err := tokens.Identify(t.Context(), mint(t, k, nil)); codeOf(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	check("first", old, "")
	check("first, another key", next, "token_invalid")
	put(public(old) + public(next))
	check("both", old, "")
	check("both", next, "")
	put("nothing")
	check("damaged", next, "")
	if n := strings.Count(log.String(), "stays in force"); n != 1 {
		t.Errorf("the log tells %d times of the damage:\n%s", n, &log)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(time.Second)
	check("gone", old, "")
	put(public(next))
	check("the old one taken away", old, "token_invalid")
	check("the new one", next, "")
}

func TestFilesOfNoUse(t *testing.T) {
	private := filepath.Join(t.TempDir(), "data")
	if _, err := identity.OpenDevKey(private); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(private, "dev-token.key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	for name, tt := range map[string]struct{ text, asPEM, asJWKS string }{
		"empty":         {"", "it has 0 public keys", "it is no JSON Web Key Set"},
		"a private key": {string(text), `it has a "PRIVATE KEY"; give the public key alone`, "it is no JSON Web Key Set"},
		"large":         {strings.Repeat("a", 1<<20+1), "larger than", "larger than"},
		"no keys":       {`{"keys":[]}`, "it has 0 public keys", "it has no key that signatures can be checked with; the last one: it is empty"},
		"shared":        {`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, "it has 0", "it is private or shared"},
		"broken":        {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "a key in it can't be read", "it is no JSON"},
		"another alg": {
			`{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"RS256","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
			"it has 0", `its alg is "RS256", which is not one for it`,
		},
		"a use": {`{"keys":[{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`, "it has 0", "it is no RSA key"},
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, asPEM := identity.PEMKeys(path, log, time.Now)
		_, asJWKS := identity.FileKeys(path, log, time.Now)
		for _, p := range []struct {
			err  error
			want string
		}{{asPEM, "JWT_PUBLIC_KEY_FILE"}, {asPEM, tt.asPEM}, {asJWKS, "JWT_JWKS_FILE"}, {asJWKS, tt.asJWKS}} {
			if p.err == nil || !strings.Contains(p.err.Error(), p.want) || strings.Contains(p.err.Error(), "\n") {
				t.Errorf("%s: error %q, want one with %q", name, p.err, p.want)
			}
		}
	}
}

// FuzzToken changes a good token: whatever is not it, is refused without a panic.
func FuzzToken(f *testing.F) {
	c := &clock{now}
	key, tokens := checker(f, c, "")
	good := mint(f, key, nil)
	parts := strings.Split(good, ".")
	for _, seed := range []string{
		good, parts[0] + "." + parts[1] + ".", strings.ToUpper(good), good + ".", "." + good, good[:len(good)-1] + "B", "..",
		"eyJhbGciOiJub25lIn0." + parts[1] + ".", "eyJhbGciOiJIUzI1NiJ9." + parts[1] + "." + parts[2], good + "\n", good + "=",
	} {
		f.Add([]byte(seed), 0, byte(0))
	}
	f.Add([]byte(nil), 40, byte('A'))
	f.Fuzz(func(t *testing.T, token []byte, at int, letter byte) {
		if len(token) == 0 && at >= 0 { // one letter of the good token is another
			token = []byte(good)
			token[at%len(token)] = letter
		}
		caller, err := tokens.Identify(t.Context(), string(token))
		if string(token) == good {
			if err != nil {
				t.Fatalf("the good token is refused: %v", err)
			}
			return
		}
		if err == nil || caller != (access.Caller{}) {
			t.Fatalf("%q lets in %+v, %v", token, caller, err)
		}
		if f := fault.Of(err); f.Kind != fault.Unauthenticated && f.Kind != fault.Forbidden {
			t.Fatalf("%q: %v", token, err)
		}
	})
}
