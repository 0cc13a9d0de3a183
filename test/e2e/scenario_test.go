package e2e_test

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scenario is requests in a row to an empty service.
type scenario struct {
	name string
	// settings of the service, as NAME=value.
	settings []string
	steps    []step
	// orders is how many orders there are in the end.
	orders int
	// told is the types of all events in the end: those of one order in their sequence, in the order in which the orders
	// are found in the events. Nil does not mind.
	told []string
}

// step is one request and what must come of it. In the path, the header and the bodies {name} stands for what an earlier
// step kept, or this one for what is expected.
type step struct {
	// name says what is tried, where the request does not.
	name string
	// request is the method and the path with its query.
	request string
	// header fields to send; an empty value leaves out one that is sent by default.
	header map[string]string
	body   string
	// stream is sent instead of body, in chunks: its length is not told.
	stream string

	status int
	// want is the whole body, has a part of it; objects may have more members. Both are JSON.
	want, has string
	// headers of the answer; an empty value is one that must be absent.
	headers map[string]string
	// absent is what must not appear anywhere in the answer.
	absent []string
	// keep names values of the answer for what comes later, by their paths.
	keep map[string]string
	// check looks at what else must be true.
	check func(t *testing.T, s *service, a answer)
}

// fields is a header.
type fields = map[string]string

// run runs every scenario on every store.
func run(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, on := range stores() {
		t.Run(on.name, func(t *testing.T) {
			for _, sc := range scenarios {
				t.Run(sc.name, func(t *testing.T) { sc.run(t, on) })
			}
		})
	}
}

func (sc scenario) run(t *testing.T, on store) {
	t.Helper()
	s := newHome(t, on, sc.settings...).start(t)
	kept := map[string]string{}
	for i := range sc.steps {
		sc.steps[i].run(t, s, kept)
		if t.Failed() {
			return
		}
	}
	if ids := s.ids(t); len(ids) != sc.orders {
		t.Errorf("there are %d orders, not %d", len(ids), sc.orders)
	}
	s.end(t)
	if sc.told != nil {
		if diff := cmp.Diff(sc.told, s.toldTypes()); diff != "" {
			t.Errorf("events told (-want +got):\n%s", diff)
		}
	}
}

func (st step) run(t *testing.T, s *service, kept map[string]string) {
	t.Helper()
	filled := filler(kept)
	method, path, _ := strings.Cut(filled.Replace(st.request), " ")
	header := make(map[string]string, len(st.header))
	for name, value := range st.header {
		header[name] = filled.Replace(value)
	}
	var body io.Reader
	if st.stream != "" {
		body = io.MultiReader(strings.NewReader(st.stream)) // of a type whose length nobody knows
	} else if st.body != "" {
		body = strings.NewReader(filled.Replace(st.body))
	}
	a := s.ask(t, method, path, header, body)
	for name, path := range st.keep {
		kept[name] = text(t, a.body, path)
	}
	filled = filler(kept)

	var wrong []string
	if a.status != st.status {
		wrong = append(wrong, fmt.Sprintf("status %d, not %d", a.status, st.status))
	}
	if st.want != "" {
		if diff := differ(t, filled.Replace(st.want), a.body, false); diff != "" {
			wrong = append(wrong, "body (-want +got):\n"+diff)
		}
	}
	if st.has != "" {
		if diff := differ(t, filled.Replace(st.has), a.body, true); diff != "" {
			wrong = append(wrong, "part of the body (-want +got):\n"+diff)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(st.headers)) {
		if got := strings.Join(a.header.Values(name), " | "); got != filled.Replace(st.headers[name]) {
			wrong = append(wrong, fmt.Sprintf("header %s: %q, not %q", name, got, filled.Replace(st.headers[name])))
		}
	}
	for _, hidden := range st.absent {
		if strings.Contains(string(a.body)+fmt.Sprint(a.header), filled.Replace(hidden)) {
			wrong = append(wrong, fmt.Sprintf("%q is in the answer", hidden))
		}
	}
	if len(wrong) > 0 {
		t.Errorf("%s %s: %s\nanswer:\n%.2000s", st.name, st.request, strings.Join(wrong, "\n"), a.body)
	}
	if st.check != nil {
		st.check(t, s, a)
	}
}

// filler puts what was kept in the place of its names.
func filler(kept map[string]string) *strings.Replacer {
	var pairs []string
	for name, value := range kept {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...)
}
