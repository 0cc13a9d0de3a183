package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"order-processing-service/internal/interfaces/httpapi"
)

// contract is /openapi.json, against which answers are held.
type contract struct {
	doc      map[string]any
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// document returns a document that the API serves.
func document(t testing.TB, path string) []byte {
	t.Helper()
	recorder := httptest.NewRecorder()
	httpapi.New(httpapi.Config{Identify: badge}).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	if recorder.Code != http.StatusOK {
		t.Fatalf("%s was answered with %d", path, recorder.Code)
	}
	return recorder.Body.Bytes()
}

// contractOf returns the contract of the API.
var contractOf = func() func(testing.TB) *contract {
	var once sync.Once
	var c *contract
	return func(t testing.TB) *contract {
		t.Helper()
		once.Do(func() { c = newContract(t, "openapi.json", document(t, "/openapi.json")) })
		return c
	}
}()

func newContract(t testing.TB, name string, text []byte) *contract {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	doc, ok := value.(map[string]any)
	if !ok {
		t.Fatalf("%s is no object", name)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	return &contract{doc: doc, compiler: compiler, schemas: map[string]*jsonschema.Schema{}}
}

// schema returns the schema at a JSON Pointer.
func (c *contract) schema(t testing.TB, at string) *jsonschema.Schema {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.schemas[at]; s != nil {
		return s
	}
	s, err := c.compiler.Compile(at)
	if err != nil {
		t.Fatal(err)
	}
	c.schemas[at] = s
	return s
}

// check holds an answer against the contract: its status, its headers and its body.
func (c *contract) check(t testing.TB, method, path string, a answer) {
	t.Helper()
	if id := a.header.Get("X-Request-ID"); id == "" {
		t.Errorf("%s %s has no request id", method, path)
	}
	path, _, _ = strings.Cut(path, "?")
	template := c.template(path)
	var response map[string]any
	at := ""
	if template != "" {
		response, at = c.response(template, method, a.status)
	}
	switch {
	case a.status == http.StatusMethodNotAllowed && a.header.Get("Allow") == "":
		t.Errorf("%s %s says 405 without Allow", method, path)
	case response == nil && template != "" && c.operation(template, method) != nil:
		t.Errorf("%s %s: status %d is not documented: %s", method, path, a.status, a.body)
	case response == nil && a.status >= http.StatusBadRequest:
		at = "openapi.json#/components/responses/Problem404" // every problem has one form
	}
	if headers, ok := response["headers"].(map[string]any); ok {
		for _, name := range []string{"Location", "Etag", "Link", "Idempotent-Replayed", "Retry-After", "Content-Disposition"} {
			if a.header.Get(name) != "" && !hasFold(headers, name) {
				t.Errorf("%s %s %d: the header %s is not documented", method, path, a.status, name)
			}
		}
	}
	contentType, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	if at == "" || method == http.MethodHead || contentType != "application/json" && contentType != "application/problem+json" {
		return
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
	if err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
	}
	pointer := at + "/content/" + strings.ReplaceAll(contentType, "/", "~1") + "/schema"
	if err := c.schema(t, pointer).Validate(value); err != nil {
		t.Errorf("%s %s %d: %v in %s", method, path, a.status, err, a.body)
	}
}

// template returns the documented path that matches, or "".
func (c *contract) template(path string) string {
	paths := members(c.doc, "paths")
	if _, ok := paths[path]; ok {
		return path
	}
	segments := strings.Split(path, "/")
	for template := range paths {
		parts := strings.Split(template, "/")
		matches := len(parts) == len(segments)
		for i := 0; matches && i < len(parts); i++ {
			matches = parts[i] == segments[i] || strings.HasPrefix(parts[i], "{")
		}
		if matches {
			return template
		}
	}
	return ""
}

func (c *contract) operation(template, method string) map[string]any {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return members(c.doc, "paths", template, strings.ToLower(method))
}

// response returns the documented response, and where it is.
func (c *contract) response(template, method string, status int) (map[string]any, string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	response := members(c.operation(template, method), "responses", strconv.Itoa(status))
	if response == nil {
		return nil, ""
	}
	if ref, ok := response["$ref"].(string); ok {
		return members(c.doc, "components", "responses", ref[strings.LastIndex(ref, "/")+1:]), "openapi.json" + ref
	}
	return response, "openapi.json#/paths/" + strings.ReplaceAll(template, "/", "~1") + "/" + strings.ToLower(method) +
		"/responses/" + strconv.Itoa(status)
}

func hasFold(headers map[string]any, name string) bool {
	for documented := range headers {
		if strings.EqualFold(documented, name) {
			return true
		}
	}
	return false
}
