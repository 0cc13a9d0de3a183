package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"order-processing-service/internal/application/access"
)

// operation is one thing that the API does: where it is found, how it is described, what it does.
type operation struct {
	method, path string
	// doc describes the operation; nil for what serves the documents themselves.
	doc *description
	// query names the parameters that the operation takes in the query; any other is an error.
	query []string
	// handle does the work. An error is answered with a problem.
	handle func(*exchange) error

	// scope is what the caller must be allowed; an operation that is not exempt has one.
	scope access.Scopes

	exempt  bool // from the limit on concurrent requests, and from saying who calls
	endless bool // has no deadline
	quiet   bool // is logged at DEBUG
	lenient bool // lets unknown query parameters pass
}

// node is a segment of the paths that are served.
type node struct {
	static     map[string]*node
	parameter  *node // matches any segment that is not in static
	operations map[string]*operation
	allow      string // the methods of operations, as in the header Allow
}

// add makes the operation found. A path segment in braces is a parameter. Two operations at the same
// place are a mistake in this package, and so is one that anybody may use without that being said.
func (n *node) add(op *operation) {
	if op.exempt != (op.scope == 0) {
		panic(op.method + " " + op.path + " must either have a scope or be exempt")
	}
	for segment := range strings.SplitSeq(strings.Trim(op.path, "/"), "/") {
		n = n.child(segment)
	}
	if n.operations == nil {
		n.operations = make(map[string]*operation)
	}
	if n.operations[op.method] != nil {
		panic("two operations are " + op.method + " " + op.path)
	}
	n.operations[op.method] = op
	if op.method == http.MethodGet {
		n.operations[http.MethodHead] = op
	}
	methods := make([]string, 0, len(n.operations))
	for method := range n.operations {
		methods = append(methods, method)
	}
	slices.Sort(methods)
	n.allow = strings.Join(methods, ", ")
}

func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, "{") {
		if n.parameter == nil {
			n.parameter = new(node)
		}
		return n.parameter
	}
	if n.static == nil {
		n.static = make(map[string]*node)
	}
	if n.static[segment] == nil {
		n.static[segment] = new(node)
	}
	return n.static[segment]
}

// maxParameters is how many parameters a path has at most.
const maxParameters = 2

// find returns the place of a path and its parameters, or nil.
func (n *node) find(path string) (*node, [maxParameters]string) {
	var parameters [maxParameters]string
	if path == "" || path[0] != '/' {
		return nil, parameters
	}
	count := 0
	rest := path[1:]
	for more := true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		next := n.static[segment]
		if next == nil {
			if next = n.parameter; next == nil || segment == "" {
				return nil, parameters
			}
			parameters[count] = segment
			count++
		}
		n = next
	}
	return n, parameters
}
