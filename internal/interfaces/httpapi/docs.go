package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5/static"
	"github.com/swaggest/swgui/v5cdn"
	"github.com/vearutop/statigz"
)

// documents lists the operations that serve the documents on operations, and Swagger UI. They are
// not described themselves. Each is made when it is first asked for: the start does not wait for it.
func (a *api) documents(operations []operation) []operation {
	ui := sync.OnceValue(newDocsPage)
	page := func(x *exchange) error { return ui().serve(x) }
	list := []operation{
		document("/openapi.json", func() ([]byte, error) {
			return openAPI(operations, asked{who: a.Identify != nil, moderate: a.RateLimit != nil})
		}),
		document("/asyncapi.json", asyncAPI),
		{path: "/docs", handle: page},
		{path: "/docs/{file}", handle: page},
		{path: "/", handle: func(x *exchange) error {
			x.w.Header()["Location"] = []string{"/docs"}
			x.reply(http.StatusTemporaryRedirect, []string{"text/plain; charset=utf-8"}, []byte("see /docs\n"))
			return nil
		}},
	}
	for i := range list {
		list[i].method, list[i].exempt, list[i].lenient = http.MethodGet, true, true
	}
	return list
}

// document returns the operation that serves a JSON document, which does not change.
func document(path string, write func() ([]byte, error)) operation {
	type written struct {
		text []byte
		tag  string
		err  error
	}
	once := sync.OnceValue(func() written {
		text, err := write()
		sum := sha256.Sum256(text)
		return written{text, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, err}
	})
	return operation{path: path, handle: func(x *exchange) error {
		doc := once()
		if doc.err != nil {
			return fmt.Errorf("write %s: %w", path, doc.err)
		}
		h := x.w.Header()
		h["Etag"] = []string{doc.tag}
		h["Cache-Control"] = noCache
		if x.r.Header.Get("If-None-Match") == doc.tag {
			return x.notModified()
		}
		x.reply(http.StatusOK, typeJSON, doc.text)
		return nil
	}}
}

// docsPage is Swagger UI with its assets, all from the binary.
type docsPage struct {
	assets http.Handler
	index  []byte
	policy string
}

// newDocsPage makes the page that loads from elsewhere name the assets here. The package that would do it has the start of every
// process read all of them.
func newDocsPage() *docsPage {
	ui := v5cdn.NewWithConfig(swgui.Config{
		// Links are relative, so that the page works wherever a gateway puts the API; the document is looked for from
		// below the page.
		Title: "Order Processing Service", SwaggerJSON: "../openapi.json", BasePath: "docs", InternalBasePath: "/docs",
		SettingsUI: map[string]string{
			"defaultModelsExpandDepth": "0", "displayRequestDuration": "true", "docExpansion": `"list"`, "tryItOutEnabled": "true",
		},
	})("", "", "")
	var page pageWriter
	ui.ServeHTTP(&page, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/docs"}})
	index := page.Bytes()
	for _, base := range []string{v5cdn.AssetsBase, v5cdn.FaviconBase} {
		index = bytes.ReplaceAll(index, []byte(base), []byte("docs/"))
	}
	return &docsPage{assets: http.StripPrefix("/docs/", statigz.FileServer(static.FS)), index: index, policy: contentPolicy(index)}
}

// docsAssets lists the files that the page loads.
func docsAssets() []string {
	return []string{
		"swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "favicon-16x16.png", "favicon-32x32.png",
	}
}

// serve answers with the page or with one of its assets.
func (p *docsPage) serve(x *exchange) error {
	h := x.w.Header()
	h["Content-Security-Policy"] = []string{p.policy}
	h["Cache-Control"] = noCache
	if x.path[0] == "" {
		x.reply(http.StatusOK, []string{"text/html; charset=utf-8"}, p.index)
		return nil
	}
	if !slices.Contains(docsAssets(), x.path[0]) {
		return errRoute
	}
	counted := countingWriter{ResponseWriter: x.w, x: x}
	p.assets.ServeHTTP(&counted, x.r)
	return nil
}

// inlineScript finds the scripts that stand in the page itself.
var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// contentPolicy returns the Content-Security-Policy under which the page works and reaches nothing
// but this service: its own scripts are named by their hashes. Swagger UI styles elements directly.
func contentPolicy(index []byte) string {
	scripts := []string{"'self'"}
	for _, script := range inlineScript.FindAllSubmatch(index, -1) {
		sum := sha256.Sum256(script[1])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return fmt.Sprintf("default-src 'none'; script-src %s; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "+
		"connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		strings.Join(scripts, " "))
}

// pageWriter keeps a page instead of sending it.
type pageWriter struct {
	bytes.Buffer
	header http.Header
}

// Header implements http.ResponseWriter.
func (w *pageWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter.
func (*pageWriter) WriteHeader(int) {}

// countingWriter notes what another handler answers.
type countingWriter struct {
	http.ResponseWriter
	x *exchange
}

// WriteHeader implements http.ResponseWriter.
func (w *countingWriter) WriteHeader(status int) {
	w.x.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *countingWriter) Write(b []byte) (int, error) {
	if w.x.status == 0 {
		w.x.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.x.written += int64(n)
	return n, err //nolint:wrapcheck // the writer is the caller's
}
