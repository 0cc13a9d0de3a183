package callers_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
)

// orders runs a command of the program, in its folder and environment.
func orders(t *testing.T, args ...string) (code int, out, errors string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), bootstrap.Commands(), args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

// newKey makes an API key.
func newKey(t *testing.T, args ...string) (key string, entry json.RawMessage) {
	t.Helper()
	code, out, problem := orders(t, append([]string{"keys", "new", "--output", "json"}, args...)...)
	var made struct {
		Key   string
		Entry json.RawMessage
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != cli.ExitOK {
		t.Fatalf("keys new: %d, %v, %s", code, err, problem)
	}
	return made.Key, made.Entry
}

// writeKeys puts a file of entries in the place of another, as tools do that write whole files.
func writeKeys(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestAPIKeys(t *testing.T) {
	t.Chdir(t.TempDir())
	reader, readerEntry := newKey(t, "--name", "reader", "--scope", "orders:read")
	shop, shopEntry := newKey(t, "--name", "shop", "--scope", "orders:read orders:write", "--customer", "c-1")
	path := filepath.Join(t.TempDir(), "keys.json")
	writeKeys(t, path, "["+string(readerEntry)+","+string(shopEntry)+"]")
	s := start(t, "AUTH=keys", "API_KEYS_FILE="+path)

	placed := s.send(t, "POST", "/orders", tea, "X-Api-Key: "+shop)
	var order struct{ ID string }
	if err := json.Unmarshal([]byte(placed.body), &order); err != nil || placed.status != http.StatusCreated {
		t.Fatalf("place: %d %s", placed.status, placed.body)
	}
	timeline := s.send(t, "GET", "/orders/"+order.ID+"/timeline", "", "X-Api-Key: "+reader)
	if timeline.status != http.StatusOK || !strings.Contains(timeline.body, `"actor":"key:shop"`) {
		t.Errorf("timeline: %d %s", timeline.status, timeline.body)
	}
	for name, refused := range map[string]struct {
		status int
		code   string
		lines  []string
	}{
		"no key":      {401, "token_missing", nil},
		"another key": {401, "key_invalid", []string{"X-Api-Key: " + shop + "x"}},
		"empty":       {401, "key_invalid", []string{"X-Api-Key: "}},
		"long":        {401, "key_invalid", []string{"X-Api-Key: " + strings.Repeat("k", 5000)}},
		"two keys":    {401, "token_invalid", []string{"X-Api-Key: " + shop, "X-Api-Key: " + shop}},
		"a key and a token": {
			401, "token_invalid",
			[]string{"X-Api-Key: " + shop, "Authorization: Bearer x"},
		},
		"a key as a token": {401, "token_missing", []string{"Authorization: Bearer " + shop}},
		"no scope":         {403, "scope_missing", []string{"X-Api-Key: " + reader}},
		"another customer": {403, "customer_forbidden", []string{"X-Api-Key: " + shop}},
	} {
		body := strings.Replace(tea, "c-1", "c-2", 1)
		if a := s.send(t, "POST", "/orders", body, refused.lines...); a.status != refused.status || a.code != refused.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	eventually(t, "the log names the caller", func() bool { return strings.Contains(s.out.String(), `"subject":"key:shop"`) })

	// A damaged file changes nothing, and is told of; one that is whole takes effect.
	writeKeys(t, path, "["+string(readerEntry)+",")
	eventually(t, "the log tells of the damaged file", func() bool {
		return s.send(t, "GET", "/orders", "", "X-Api-Key: "+shop).status == http.StatusOK && strings.Contains(s.out.String(), "stays in force")
	})
	writeKeys(t, path, "["+string(readerEntry)+"]")
	eventually(t, "a key that was taken back is refused", func() bool {
		return s.send(t, "GET", "/orders", "", "X-Api-Key: "+shop).status == http.StatusUnauthorized
	})
	if a := s.send(t, "GET", "/orders", "", "X-Api-Key: "+reader); a.status != http.StatusOK {
		t.Errorf("the key that stays: %d", a.status)
	}
	if log := s.out.String(); strings.Contains(log, shop) || strings.Contains(log, reader) {
		t.Error("the log has a key")
	}
}

func TestWrongKeyFilesStopTheStart(t *testing.T) {
	entry := `{"name":"a","scopes":["orders:read"],"sha256":"` + strings.Repeat("0", 64) + `"}`
	for text, want := range map[string]string{
		"":                              "it is no list of keys",
		"{}":                            "it is no list of keys",
		"null":                          "it is no list of keys",
		"[" + entry + "]x":              "it is no list of keys",
		`[{"nme":"a"}]`:                 "it is no list of keys",
		`[{"name":"a b"}]`:              `the name "a b" is not`,
		`[{"name":"a"}]`:                "a has no scopes",
		"[" + entry + "," + entry + "]": "is there twice",
		strings.Replace("["+entry+"]", "read", "reed", 1):                     `the scope "orders:reed", which there is not`,
		strings.Replace("["+entry+"]", "0000", "", 1):                         "not 64 hexadecimal digits",
		strings.Replace("["+entry+"]", `read"]`, `admin"],"customer":"c"`, 1): "a has a customer and the scope orders:admin",
	} {
		t.Run("", func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("keys.json", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("AUTH", "keys")
			t.Setenv("API_KEYS_FILE", "keys.json")
			t.Setenv("PORT", "0")
			code, _, problem := orders(t, "serve")
			if code != cli.ExitUsage || strings.Count(problem, "\n") != 1 || !strings.Contains(problem, want) {
				t.Errorf("%s: exit code %d, errors %q", text, code, problem)
			}
		})
	}
}
