package lambdafn

import "strings"

// defaultStage is the stage of HTTP APIs and function URLs that is no part of any path.
const defaultStage = "$default"

// place is where a request goes.
type place struct {
	path   string // within the API, still escaped
	prefix string // what the client's path had before it
	slash  bool   // and a slash after it, which says nothing
}

// place returns where a request goes.
//
// Events differ in how much of the client's path they have. A custom domain's base path is in all of them. The stage is in
// those of HTTP APIs, but in those of REST APIs only if a custom domain is mapped to all stages at once; then, unlike else,
// the event's path is the client's.
func (f *Function) place(e *event, k kind) place {
	seen, client := e.Path, e.Path
	staged := false
	switch k {
	case httpAPI:
		seen, staged = e.RawPath, true
		client = seen
	case restAPI:
		if e.Context.Path != "" {
			client = e.Context.Path
		}
		staged = e.Version == "1.0" || client == seen
	default: // a load balancer has no stages
	}
	path := rooted(seen)
	if f.BasePath != "" {
		path = cutSegments(path, f.BasePath)
	}
	if stage := e.Context.Stage; staged && stage != "" && stage != defaultStage {
		path = cutSegments(path, "/"+stage)
	}
	if path == "/" {
		return place{path: path, prefix: strings.TrimSuffix(client, "/")}
	}
	p := place{prefix: strings.TrimSuffix(client, path)}
	p.path, p.slash = strings.CutSuffix(path, "/")
	return p
}

// cutSegments cuts whole segments from the front of a path, if it begins with them.
func cutSegments(path, segments string) string {
	rest, ok := strings.CutPrefix(path, segments)
	if !ok || rest != "" && rest[0] != '/' {
		return path
	}
	return rooted(rest)
}

func rooted(path string) string {
	if !strings.HasPrefix(path, "/") {
		return "/" + path
	}
	return path
}
