package metrics_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"order-processing-service/internal/infrastructure/telemetry/attributes"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
)

//go:generate go test -run ^TestOperationsListsMetrics$ . -update

var update = flag.Bool("update", false, "write the table in docs/operations.md anew")

const page = "../../../../docs/operations.md"

// TestOperationsListsMetrics holds the tables for operators to those by which everything is measured.
func TestOperationsListsMetrics(t *testing.T) {
	current(t, "metrics", table(t))
	current(t, "attributes", ownAttributes())
}

// current finds that the page has a table, or writes it.
func current(t *testing.T, name, is string) {
	t.Helper()
	begin, end := "<!-- "+name+": written by go generate -->\n", "<!-- end of "+name+" -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	was, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table of %s", page, name)
	}
	if was == is {
		return
	}
	if !*update {
		t.Fatalf("the table of %s in %s is not current; run make generate", name, page)
	}
	if err := os.WriteFile(page, []byte(before+begin+is+end+after), 0o600); err != nil { //nolint:gosec // the path is a constant
		t.Fatal(err)
	}
}

// ownAttributes is all keys of the service's own as rows of Markdown.
func ownAttributes() string {
	var b strings.Builder
	b.WriteString("\n| attribute | label | what it says |\n| --- | --- | --- |\n")
	for _, a := range attributes.Own() {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", a.Key, strings.ReplaceAll(a.Key, ".", "_"), a.Description)
	}
	b.WriteString("\n")
	return b.String()
}

// table is all instruments as rows of Markdown.
func table(t *testing.T) string {
	t.Helper()
	dimensions := metrics.Dimensions()
	var b strings.Builder
	b.WriteString("\n| metric | OpenTelemetry | kind | labels | what it says |\n| --- | --- | --- | --- | --- |\n")
	for _, i := range metrics.Instruments() {
		names, err := i.PrometheusNames()
		if err != nil {
			t.Fatal(err)
		}
		kind := string(i.Kind)
		if i.Unit != "" {
			kind += ", " + strings.Trim(i.Unit, "{}")
		}
		labels := make([]string, len(i.Attributes))
		for n, key := range i.Attributes {
			labels[n] = "`" + strings.ReplaceAll(key, ".", "_") + "`"
		}
		cloudWatch := ""
		if sets, ok := dimensions[i.Name]; ok {
			cloudWatch = " In CloudWatch" + by(sets) + "."
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s%s |\n",
			strings.TrimSuffix(names[0], "_bucket"), i.Name, kind, strings.Join(labels, ", "), i.Description, cloudWatch)
	}
	b.WriteString("\n")
	return b.String()
}

// by says by which dimensions CloudWatch has a metric.
func by(sets [][]string) string {
	var all []string
	for _, set := range sets {
		if len(set) == 0 {
			all = append(all, " in all")
			continue
		}
		all = append(all, " by `"+strings.Join(set, "` and `")+"`")
	}
	return strings.Join(all, ",")
}

// TestTheTableIsSound looks for rows that can't be what they say.
func TestTheTableIsSound(t *testing.T) {
	names := make(map[string]bool)
	for _, i := range metrics.Instruments() {
		if names[i.Name] || i.Name == "" || !strings.HasSuffix(i.Description, ".") {
			t.Errorf("%q is there twice, or has no sentence: %q", i.Name, i.Description)
		}
		names[i.Name] = true
		for _, key := range i.Attributes {
			own := slices.ContainsFunc(attributes.Own(), func(a attributes.Attribute) bool { return a.Key == key })
			if strings.HasPrefix(key, "orders.") != own || !strings.Contains(key, ".") {
				t.Errorf("%s has %s, which is in no namespace, or not in the table of our own", i.Name, key)
			}
		}
		for _, set := range metrics.Dimensions()[i.Name] {
			for _, key := range set {
				if !slices.Contains(i.Attributes, key) {
					t.Errorf("CloudWatch has %s by %s, which it has not", i.Name, key)
				}
			}
		}
	}
	for _, a := range attributes.Own() {
		names[a.Key] = true
	}
	for name := range names { // OpenTelemetry has names and namespaces apart
		for other := range names {
			if strings.HasPrefix(other, name+".") {
				t.Errorf("%s is a name, and the namespace of %s", name, other)
			}
		}
	}
}
