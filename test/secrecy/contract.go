package secrecy

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Request is one request of those that plant markers.
type Request struct {
	Operation    string // its id in the document
	Place        string // where the marker is that makes it wrong; "" if it is right, with markers where they may be
	Method, Path string
	Header       map[string]string
	Body         string // JSON, or what stands in for it
}

// Contract is an OpenAPI document, read for what a client may send.
type Contract struct {
	document object
	markers  *Markers
}

type object = map[string]any

// ReadContract reads a document. Requests made of it carry these markers.
func ReadContract(document []byte, m *Markers) (*Contract, error) {
	c := &Contract{markers: m}
	if err := json.Unmarshal(document, &c.document); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	return c, nil
}

// Operations lists the ids of all operations, in order.
func (c *Contract) Operations() []string {
	var ids []string
	c.each(func(_, _ string, op object) { ids = append(ids, text(op["operationId"])) })
	return ids
}

// each calls do for each operation.
func (c *Contract) each(do func(method, path string, op object)) {
	paths, _ := c.document["paths"].(object)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		methods, _ := paths[path].(object)
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			if op, ok := methods[method].(object); ok && op["operationId"] != nil {
				do(strings.ToUpper(method), path, op)
			}
		}
	}
}

// Requests makes, for each operation, one request that is right, and one for each place in which a client may put something:
// each parameter and member of the body that the document has, a parameter and a member that it doesn't have, and each of
// the headers. Parameters of paths have the given values, as far as they do not carry the marker.
func (c *Contract) Requests(path map[string]string, headers []string) []Request {
	var all []Request
	c.each(func(method, template string, op object) {
		id := text(op["operationId"])
		build := func(place string) Request {
			header := map[string]string{}
			r := Request{Operation: id, Place: place, Method: method, Path: fill(template, path), Header: header}
			if body := c.bodySchema(op); body != nil {
				header["Content-Type"] = "application/json"
				r.Body = encode(c.sample(body, id+" body"))
			}
			return r
		}
		all = append(all, build(""))
		parameters, _ := op["parameters"].([]any)
		var free []string
		for _, p := range parameters {
			parameter, _ := p.(object)
			in, name := text(parameter["in"]), text(parameter["name"])
			place := id + " " + in + " " + name
			r, marker := build(place), c.markers.Text(place)
			switch in {
			case "path":
				changed := maps.Clone(path)
				changed[name] = marker
				r.Path = fill(template, changed)
			case "query":
				r.Path += "?" + url.QueryEscape(name) + "=" + marker
				if c.takes(parameter["schema"], marker) {
					free = append(free, url.QueryEscape(name)+"="+marker)
				}
			case "header":
				r.Header[name] = marker
			}
			all = append(all, r)
		}
		if len(free) > 0 {
			r := build(id + " all query texts")
			r.Path += "?" + strings.Join(free, "&")
			all = append(all, r)
		}
		all = append(all, c.foreign(id, build, headers)...)
		if body := c.bodySchema(op); body != nil {
			all = append(all, c.wrongBodies(id, build, body)...)
		}
	})
	return all
}

// foreign is what no document has a place for.
func (c *Contract) foreign(id string, build func(string) Request, headers []string) []Request {
	var all []Request
	query := build(id + " unknown parameter")
	query.Path += "?" + c.markers.Text(query.Place) + "=" + c.markers.Text(query.Place)
	tail := build(id + " end of the path")
	tail.Path += "/" + c.markers.Text(tail.Place)
	encoded := build(id + " end of the path, encoded")
	encoded.Path += "%2f..%2f" + c.markers.Text(encoded.Place) + "%00"
	all = append(all, query, tail, encoded)
	for _, name := range headers {
		r := build(id + " header " + name)
		r.Header[name] = c.markers.Text(r.Place)
		all = append(all, r)
		quoted := build(r.Place + ", quoted")
		quoted.Header[name] = `"` + c.markers.Text(quoted.Place) + `"`
		all = append(all, quoted)
	}
	named := build(id + " name of a header")
	named.Header["X-"+c.markers.Text(named.Place)] = c.markers.Text(named.Place)
	return append(all, named)
}

// wrongBodies has a marker where it makes the body wrong: in each member in turn, and as a whole.
func (c *Contract) wrongBodies(id string, build func(string) Request, schema object) []Request {
	var all []Request
	add := func(place, body string) {
		r := build(place)
		r.Body = body
		all = append(all, r)
	}
	whole := c.sample(schema, id+" body")
	for _, pointer := range pointers(whole, nil) {
		place := id + " body " + strings.Join(pointer, ".")
		marker := c.markers.Text(place)
		add(place, encode(with(whole, pointer, marker+strings.Repeat("x", 3000))))
		add(place, encode(with(whole, pointer, []any{object{marker: marker}})))
		add(place, encode(with(whole, append(slices.Clone(pointer), marker), marker)))
	}
	place := id + " body that can't be read"
	marker := c.markers.Text(place)
	add(place, `{"`+marker+`":"`+marker+`"`)
	add(place, `{"customer_id":"`+marker+`","customer_id":"`+marker+`"}`)
	add(place, marker)
	add(place, `["`+marker+`"]`)
	add(place, `"`+marker+strings.Repeat(" ", 9<<20)+`"`)
	return all
}

func (c *Contract) bodySchema(op object) object {
	body, _ := op["requestBody"].(object)
	content, _ := body["content"].(object)
	media, _ := content["application/json"].(object)
	return c.resolve(media["schema"])
}

// resolve follows references.
func (c *Contract) resolve(schema any) object {
	s, _ := schema.(object)
	if reference := text(s["$ref"]); reference != "" {
		var at any = c.document
		for name := range strings.SplitSeq(strings.TrimPrefix(reference, "#/"), "/") {
			inside, _ := at.(object)
			at = inside[name]
		}
		return c.resolve(at)
	}
	return s
}

// sample is a right value of a schema, with markers wherever they are right too.
func (c *Contract) sample(schema any, place string) any {
	s := c.resolve(schema)
	if choices, ok := s["anyOf"].([]any); ok {
		return c.sample(choices[0], place)
	}
	examples, _ := s["examples"].([]any)
	switch {
	case s["properties"] != nil:
		value := object{}
		properties, _ := s["properties"].(object)
		for name, property := range properties {
			value[name] = c.sample(property, place+"."+name)
		}
		return value
	case s["additionalProperties"] != nil && s["additionalProperties"] != false:
		key := place + " key"
		return object{c.markers.Text(key): c.sample(s["additionalProperties"], place+" value")}
	case s["items"] != nil:
		return []any{c.sample(s["items"], place+"[]")}
	case hasType(s, "string"):
		if marker := c.markers.Text(place); c.takes(s, marker) {
			return marker
		}
	case hasType(s, "number"):
		return json.Number(c.markers.Number(place))
	}
	if len(examples) > 0 {
		return examples[0]
	}
	return nil
}

// takes tells whether a schema lets any text pass, such as a marker.
func (c *Contract) takes(schema any, marker string) bool {
	s := c.resolve(schema)
	longest, bounded := s["maxLength"].(float64)
	pattern, err := regexp.Compile(text(s["pattern"]))
	return hasType(s, "string") && s["enum"] == nil && s["format"] == nil && (!bounded || len(marker) <= int(longest)) &&
		err == nil && pattern.MatchString(marker)
}

func hasType(schema object, want string) bool {
	if list, ok := schema["type"].([]any); ok {
		return slices.Contains(list, any(want))
	}
	return schema["type"] == want
}

// pointers lists the ways to every member of a value, its own first.
func pointers(value any, way []string) [][]string {
	var all [][]string
	switch v := value.(type) {
	case object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inside := append(slices.Clone(way), name)
			all = append(append(all, inside), pointers(v[name], inside)...)
		}
	case []any:
		all = append(all, pointers(v[0], append(slices.Clone(way), "0"))...)
	}
	return all
}

// with is a copy of a value that has another one at the end of a way. A way that leads nowhere makes a member.
func with(value any, way []string, other any) any {
	if len(way) == 0 {
		return other
	}
	switch v := value.(type) {
	case object:
		changed := maps.Clone(v)
		changed[way[0]] = with(v[way[0]], way[1:], other)
		return changed
	case []any:
		return []any{with(v[0], way[1:], other)}
	default:
		return object{way[0]: other}
	}
}

func fill(template string, values map[string]string) string {
	for name, value := range values {
		template = strings.ReplaceAll(template, "{"+name+"}", value)
	}
	return template
}

func encode(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("encode %v: %v", value, err)) // of maps, lists and texts there is none
	}
	return string(encoded)
}

func text(value any) string {
	s, _ := value.(string)
	return s
}
