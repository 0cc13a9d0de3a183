package identity_test

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/infrastructure/identity"
)

// request is one that API Gateway's authorizer has let in with these claims; nil for none.
func request(t *testing.T, claims map[string]any, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://orders.example/orders", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	if claims != nil {
		r = r.WithContext(access.WithClaims(r.Context(), claims))
	}
	return r
}

func TestGateway(t *testing.T) {
	callers := &identity.Callers{Gateway: &identity.Gateway{CustomerClaim: "customer"}}
	tests := map[string]struct {
		claims map[string]any
		want   access.Caller
		code   string
	}{
		"texts": {
			map[string]any{"sub": "ana", "scope": "openid orders:read orders:write", "customer": "c-1", "exp": "1772366400"},
			access.Caller{Subject: "ana", Scopes: access.Read | access.Write, Customer: "c-1"},
			"",
		},
		"a list as HTTP APIs write it": {
			map[string]any{"sub": "ana", "scp": "[orders:read orders:admin]"}, access.Caller{Subject: "ana", Scopes: access.Read | access.Admin}, "",
		},
		"a list": {
			map[string]any{"sub": "ana", "scp": []any{"orders:admin"}}, access.Caller{Subject: "ana", Scopes: access.Admin}, "",
		},
		"no scopes": {map[string]any{"sub": "ana", "customer": "c-1"}, access.Caller{Subject: "ana", Customer: "c-1"}, ""},
		"no customer": {
			map[string]any{"sub": "ana", "scope": "orders:read"}, access.Caller{}, "customer_missing",
		},
		"scopes parted by other white space": {
			map[string]any{"sub": "ana", "scope": "orders:read x\u00a0orders:admin\torders:write"}, access.Caller{}, "customer_missing",
		},
		"a list with spaces": {map[string]any{"sub": "ana", "scp": []any{"x orders:admin"}, "customer": "c-1"}, access.Caller{Subject: "ana", Customer: "c-1"}, ""},
		"no subject":         {map[string]any{"scope": "orders:read"}, access.Caller{}, "token_invalid"},
		"nothing":            {map[string]any{}, access.Caller{}, "token_invalid"},
		"nobody":             {nil, access.Caller{}, "token_missing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			caller, err := callers.Identify(request(t, tt.claims, "Authorization: Bearer of.the.client"))
			if diff := cmp.Diff(tt.want, caller); diff != "" || codeOf(err) != tt.code {
				t.Errorf("%v, want %q; caller (-want +got):\n%s", err, tt.code, diff)
			}
		})
	}
}

// Claims in a request's context are believed only with AUTH=gateway.
func TestClaimsWithoutGateway(t *testing.T) {
	_, tokens := checker(t, &clock{now}, "")
	callers := &identity.Callers{Tokens: tokens}
	defer callers.Close()
	if _, err := callers.Identify(request(t, map[string]any{"sub": "root", "scope": "orders:admin"})); codeOf(err) != "token_missing" {
		t.Errorf("claims are believed: %v", err)
	}
}

func TestKeys(t *testing.T) {
	key, entry, err := identity.NewKey("shop", []string{"orders:read"}, "c-1")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal([]identity.KeyEntry{entry})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := identity.NewKeys(path, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	want := access.Caller{Subject: "key:shop", Scopes: access.Read, Customer: "c-1"}
	for name, callers := range map[string]*identity.Callers{
		"alone": {Keys: keys}, "beside a gateway": {Keys: keys, Gateway: &identity.Gateway{}},
	} {
		caller, err := callers.Identify(request(t, nil, "X-Api-Key: "+key))
		if diff := cmp.Diff(want, caller); diff != "" || err != nil {
			t.Errorf("%s: %v, caller (-want +got):\n%s", name, err, diff)
		}
	}
	callers := &identity.Callers{Keys: keys, Gateway: &identity.Gateway{}}
	if _, err := callers.Identify(request(t, map[string]any{"sub": "ana"}, "X-Api-Key: "+key)); codeOf(err) != "token_invalid" {
		t.Errorf("two callers at once: %v", err)
	}
	if strings.Contains(string(text), key) || len(key) < 52 {
		t.Errorf("the key %s is in the file, or short", key)
	}
	if other, _, _ := identity.NewKey("shop", []string{"orders:read"}, ""); other == key {
		t.Error("two keys are the same")
	}
}

func TestHashSubject(t *testing.T) {
	if got := identity.HashSubject("ana"); got != "24d4b96f58da6d4a" {
		t.Errorf("got %s", got)
	}
}

// Two programs that make the development key at once have one in the end.
func TestOneDevKey(t *testing.T) {
	dir := t.TempDir()
	const programs = 8
	made := make(chan string, programs)
	for range programs {
		go func() {
			key, err := identity.OpenDevKey(dir)
			if err != nil {
				made <- err.Error()
				return
			}
			token, err := key.Mint(identity.DevToken{Issuer: "a"})
			_, err2 := os.Stat(key.PublicFile)
			if err != nil || err2 != nil {
				made <- "not usable"
				return
			}
			_ = token
			made <- ""
		}()
	}
	for range programs {
		if problem := <-made; problem != "" {
			t.Error(problem)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("files that are left: %v, %v", left, err)
	}
}
