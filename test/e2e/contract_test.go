package e2e_test

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is /openapi.json, against which every answer is held.
type contract struct {
	mu       sync.Mutex
	text     []byte
	document map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// theContract is read from the first service that is asked; all must have the same.
var theContract contract

const documentURL = "http://contract/openapi.json"

func (c *contract) read(t *testing.T, text []byte) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.document != nil {
		if !bytes.Equal(c.text, text) {
			t.Error("/openapi.json is not always the same")
		}
		return
	}
	document, ok := parse(t, text).(map[string]any)
	if !ok {
		t.Fatal("/openapi.json is no object")
	}
	c.compiler = jsonschema.NewCompiler()
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(documentURL, document); err != nil {
		t.Fatal(err)
	}
	c.text, c.document, c.schemas = text, document, map[string]*jsonschema.Schema{}
}

// check holds a JSON text against the schema at a place in the document.
func (c *contract) check(t *testing.T, text []byte, place ...string) {
	t.Helper()
	var pointer strings.Builder
	for _, step := range place {
		pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	schema := c.schemas[pointer.String()]
	if schema == nil {
		var err error
		if schema, err = c.compiler.Compile(documentURL + "#" + pointer.String()); err != nil {
			t.Fatal(err)
		}
		c.schemas[pointer.String()] = schema
	}
	if err := schema.Validate(parse(t, text)); err != nil {
		t.Errorf("the answer is not what /openapi.json says at %s: %v\n%.2000s", pointer.String(), err, text)
	}
}

// path returns the path in the document that a request's path is an instance of; "" when there is none.
func (c *contract) path(asked string) string {
	asked, _, _ = strings.Cut(asked, "?")
	paths, _ := c.document["paths"].(map[string]any)
	if paths[asked] != nil {
		return asked
	}
	steps := strings.Split(asked, "/")
	for candidate := range paths {
		parts := strings.Split(candidate, "/")
		fits := len(parts) == len(steps)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == steps[i] || strings.HasPrefix(parts[i], "{") && steps[i] != ""
		}
		if fits {
			return candidate
		}
	}
	return ""
}

// member walks into objects, and follows a reference where it ends at one.
func (c *contract) member(place []string) (object map[string]any, at []string) {
	object, at = c.document, place
	for _, step := range place {
		object, _ = object[step].(map[string]any)
	}
	if reference, ok := object["$ref"].(string); ok {
		return c.member(strings.Split(strings.TrimPrefix(reference, "#/"), "/"))
	}
	return object, at
}

// checkAnswer checks what is true of every answer, and that the document knows of it.
func checkAnswer(t *testing.T, method, path string, a answer) {
	t.Helper()
	if a.header.Get("X-Request-ID") == "" || a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") == "" {
		t.Errorf("%s %s: a header is missing in %v", method, path, a.header)
	}
	c := &theContract
	if c.document == nil {
		return // this answer is the document
	}
	isProblem := a.status >= http.StatusBadRequest
	if isProblem && method != http.MethodHead {
		checkProblem(t, method+" "+path, a)
	}
	template := c.path(path)
	verb := strings.ToLower(method)
	if verb == "head" {
		verb = "get"
	}
	operation, _ := c.member([]string{"paths", template, verb})
	if operation == nil {
		isDocument := slices.ContainsFunc([]string{"/", "/docs", "/openapi.json", "/asyncapi.json"}, func(known string) bool {
			return path == known || strings.HasPrefix(path, "/docs/")
		})
		if a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed && !isDocument {
			t.Errorf("%s %s is not in /openapi.json and is answered with %d", method, path, a.status)
		}
		return
	}
	response, place := c.member([]string{"paths", template, verb, "responses", strconv.Itoa(a.status)})
	if response == nil {
		t.Errorf("%s %s: /openapi.json does not know of the status %d\n%s", method, template, a.status, a.body)
		return
	}
	known, _ := response["headers"].(map[string]any)
	for _, name := range []string{"ETag", "Location", "Link", "Idempotent-Replayed", "Retry-After", "Content-Disposition", "Allow"} {
		if a.header.Get(name) != "" && known[name] == nil {
			t.Errorf("%s %s: /openapi.json does not know of the header %s with the status %d", method, template, name, a.status)
		}
	}
	if method == http.MethodHead || a.status == http.StatusNotModified {
		if len(a.body) > 0 {
			t.Errorf("%s %s has a body: %s", method, path, a.body)
		}
		return
	}
	mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	contents, _ := response["content"].(map[string]any)
	switch {
	case err != nil || contents[mediaType] == nil:
		t.Errorf("%s %s: /openapi.json does not know of the content type %q with the status %d", method, template, mediaType, a.status)
	case mediaType == "application/x-ndjson":
		for row := range bytes.Lines(a.body) {
			c.check(t, row, "components", "schemas", "Order")
		}
	case strings.HasSuffix(mediaType, "json"):
		c.check(t, a.body, append(slices.Clone(place), "content", mediaType, "schema")...)
	}
}

// checkProblem checks what is true of every problem.
func checkProblem(t *testing.T, request string, a answer) {
	t.Helper()
	var p struct {
		Type, Title, Detail, Code, Error string
		Status                           int
		RequestID                        string `json:"request_id"`
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Errorf("%s: %v in\n%s", request, err, a.body)
		return
	}
	if p.Type != "about:blank" || p.Title != http.StatusText(a.status) || p.Status != a.status || p.Detail == "" || p.Detail != p.Error ||
		p.Code == "" || p.RequestID != a.header.Get("X-Request-ID") || a.header.Get("Content-Type") != "application/problem+json" ||
		a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: the problem is not as problems are: status %d, header %v\n%s", request, a.status, a.header, a.body)
	}
	if a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
		t.Errorf("%s: 503 without Retry-After", request)
	}
	theContract.check(t, a.body, "components", "schemas", "Problem")
}
