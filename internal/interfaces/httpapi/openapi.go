package httpapi

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/application/wire"
)

// contractVersion is the version of the API as its documents tell it; it is not the program's.
const contractVersion = "1.0.0"

const contractText = "Takes orders, keeps them safe, and tells the rest of the world about every change.\n\n" +
	"Every answer has an `X-Request-ID`: the one that was sent, if it is well-formed, else a new one. Errors are problem details " +
	"(RFC 9457) with a `code` for programs. Amounts are decimal numbers with the decimals of their currency, and times are RFC 3339 in UTC."

// asked is what the service asks of its callers beyond what each operation does.
type asked struct {
	who      bool // who they are
	moderate bool // to make no more than so many requests
}

// openAPI returns the OpenAPI 3.1 document of the operations, as JSON.
func openAPI(operations []operation, of asked) ([]byte, error) {
	r := newRegistry()
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Order Processing Service", Version: contractVersion, Description: contractText,
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		// Relative to where the document is, wherever a gateway puts the API.
		Servers: []*huma.Server{{URL: "."}},
		Tags: []*huma.Tag{
			{Name: tagOrders, Description: "Place, read, list, change and export orders."},
			{Name: tagDeliveries, Description: "See which subscribers have yet to be told of a change, and help along."},
			{Name: tagHealth, Description: "For probes and load balancers."},
		},
		Components: &huma.Components{
			Schemas: r, Responses: map[string]*huma.Response{}, Headers: map[string]*huma.Header{
				"X-Request-ID": headerOf(header{
					"X-Request-ID", "The request's id, by which it is found in the log.", "2V5WQZGJ7N4KXTC3MBHRDPL6YS",
				}),
			},
		},
	}
	problem := r.Schema(reflect.TypeFor[wire.Problem](), true, "")
	for status, example := range problemExamples() {
		doc.Components.Responses[problemName(status)] = problemResponse(status, example, problem)
	}
	if of.who {
		doc.Components.SecuritySchemes = securitySchemes()
	}
	for i := range operations {
		if operations[i].doc != nil {
			doc.AddOperation(operations[i].document(r, of))
		}
	}
	complete(r)
	text, err := doc.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	return indented(text)
}

func indented(text []byte) ([]byte, error) {
	value := jsontext.Value(text)
	if err := value.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, fmt.Errorf("indent a document: %w", err)
	}
	return append(value, '\n'), nil
}

// document turns the operation's description into what the library writes.
func (op *operation) document(r huma.Registry, of asked) *huma.Operation {
	d := op.doc
	out := &huma.Operation{
		Method: op.method, Path: op.path, OperationID: d.id, Tags: []string{d.tag}, Summary: d.summary, Description: d.text,
		Responses: map[string]*huma.Response{},
	}
	for _, p := range d.parameters {
		text := p.text
		if p.example != "" {
			// Swagger UI would send an example that is written as one with every "Try it out".
			text += " For example: `" + p.example + "`"
		}
		out.Parameters = append(out.Parameters, &huma.Param{
			Name: p.name, In: p.in, Description: text, Required: p.in == "path", Schema: p.schema,
		})
	}
	if d.body != nil {
		media := &huma.MediaType{
			Schema: r.Schema(reflect.TypeOf(d.body), true, ""), Examples: map[string]*huma.Example{},
		}
		for _, e := range d.examples {
			media.Examples[e.name] = &huma.Example{Summary: e.summary, Value: e.value}
		}
		out.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{typeJSON[0]: media}}
	}
	for _, reply := range d.replies {
		out.Responses[strconv.Itoa(reply.status)] = reply.document(r)
	}
	problems := op.problems()
	if of.who && !op.exempt {
		problems = append(problems, http.StatusUnauthorized, http.StatusForbidden)
		out.Security = security(op.scope)
	}
	if of.moderate && !op.exempt {
		problems = append(problems, http.StatusTooManyRequests)
	}
	for _, status := range problems {
		out.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + problemName(status)}
	}
	return out
}

// problems lists the statuses of the problems that the operation may be answered with.
func (op *operation) problems() []int {
	statuses := append(slices.Clone(op.doc.errors), http.StatusInternalServerError)
	if !op.lenient {
		statuses = append(statuses, http.StatusBadRequest, http.StatusUnprocessableEntity)
	}
	if !op.exempt {
		statuses = append(statuses, http.StatusServiceUnavailable)
	}
	slices.Sort(statuses)
	return slices.Compact(statuses)
}

func (reply *reply) document(r huma.Registry) *huma.Response {
	out := &huma.Response{Description: reply.text, Headers: map[string]*huma.Param{"X-Request-ID": requestIDHeader()}}
	for _, h := range reply.headers {
		out.Headers[h.name] = headerOf(h)
	}
	for _, l := range reply.links {
		if out.Links == nil {
			out.Links = map[string]*huma.Link{}
		}
		parameters := map[string]any{}
		for name, expression := range l.parameters {
			parameters[name] = expression
		}
		out.Links[l.operation] = &huma.Link{OperationID: l.operation, Description: l.text, Parameters: parameters}
	}
	contents := reply.contents
	if reply.body != nil {
		contents = append(contents, content{mediaType: typeJSON[0], body: reply.body})
	}
	for _, c := range contents {
		schema := c.schema
		if schema == nil {
			schema = r.Schema(reflect.TypeOf(c.body), true, "")
		}
		if out.Content == nil {
			out.Content = map[string]*huma.MediaType{}
		}
		out.Content[c.mediaType] = &huma.MediaType{Schema: schema, Example: c.example}
	}
	return out
}

func problemName(status int) string { return "Problem" + strconv.Itoa(status) }

func problemResponse(status int, example wire.Problem, schema *huma.Schema) *huma.Response {
	out := &huma.Response{
		Description: http.StatusText(status),
		Headers:     map[string]*huma.Param{"X-Request-ID": requestIDHeader()},
		Content: map[string]*huma.MediaType{typeProblem[0]: {
			Schema: schema, Example: jsontext.Value(wire.AppendProblem(nil, &example)),
		}},
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		out.Headers["WWW-Authenticate"] = headerOf(header{
			"WWW-Authenticate", "What is wrong with the token, or which scope it lacks (RFC 6750); absent if it lacks none.",
			`Bearer realm="orders", error="insufficient_scope", scope="orders:write"`,
		})
	case http.StatusTooManyRequests:
		out.Headers["Retry-After"] = headerOf(header{"Retry-After", "How many seconds to wait before another try.", "1"})
		out.Headers["RateLimit"] = headerOf(header{
			"RateLimit", "How many requests may come now (r), and in how many seconds another one or, in other answers, all may (t).",
			`"default";r=0;t=1`,
		})
		out.Headers["RateLimit-Policy"] = headerOf(header{
			"RateLimit-Policy", "How many requests may come at once (q), and in how many seconds all of them may come again (w).",
			`"default";q=200;w=2`,
		})
	case http.StatusServiceUnavailable:
		out.Headers["Retry-After"] = headerOf(header{"Retry-After", "How many seconds to wait before another try.", "1"})
	case http.StatusMethodNotAllowed:
		out.Headers["Allow"] = headerOf(header{"Allow", "The methods that the path takes.", "GET, HEAD, PATCH"})
	}
	return out
}

func requestIDHeader() *huma.Header { return &huma.Header{Ref: "#/components/headers/X-Request-ID"} }

func headerOf(h header) *huma.Header {
	return &huma.Header{Description: h.text, Schema: &huma.Schema{Type: huma.TypeString}, Example: h.example}
}
