package archtest

import (
	"slices"
	"strings"
)

// maxLines is the longest that a Go file may be; generated files may be longer.
const maxLines = 500

// anyLibrary stands for every module outside this one.
const anyLibrary = "*"

// row says what one package, or every package below a folder, may import. Paths are from the module's root; "x/..."
// means every package below x, but not x itself: the layers are folders without Go files.
//
// The standard library is open but for what closed names. A package may always import what lies below its own folder.
// Test files may import what their row allows, any library, and what inTests adds.
type row struct {
	pkg       string
	module    []string // packages of this module
	libraries []string // modules outside this one, by the beginning of their path
	closed    []string // packages of the standard library, each with all below it
	inTests   []string // packages of this module, for test files only
}

// table is the import rules, the most particular row first: the first row that matches a package decides. A package that
// no row matches is a breach, so a new kind of package begins with a new row. docs/adr/0001-layers-and-import-rules.md
// says why the rows are as they are.
func table() []row {
	const (
		domain         = "internal/domain/..."
		application    = "internal/application/..."
		infrastructure = "internal/infrastructure/..."
		interfaces     = "internal/interfaces/..."
		bootstrap      = "internal/bootstrap"
		cli            = "internal/interfaces/cli"

		fault       = "internal/domain/fault"
		money       = "internal/domain/money"
		correlation = "internal/application/correlation" // of the trace that a message came with
		delivery    = "internal/application/delivery"
		ordering    = "internal/application/ordering"
		receiving   = "internal/application/receiving"
		wire        = "internal/application/wire"
		document    = "internal/infrastructure/store/document"
		measured    = "internal/infrastructure/telemetry/metrics"
		stores      = "internal/infrastructure/store/..."
	)
	var (
		none     []string
		anything = []string{anyLibrary}
		decimals = []string{"github.com/govalues/decimal"}
		helpful  = []string{"golang.org/x/sync", "golang.org/x/text", "github.com/go-json-experiment/json"} // they reach nothing

		pure    = []string{"bufio", "crypto/rand", "database", "io/fs", "log", "math/rand", "net", "os", "syscall", "testing"}
		ported  = []string{"database", "net/http", "testing"}
		inside  = []string{domain, application}
		parts   = []string{domain, application, infrastructure}
		remote  = []string{domain, application, infrastructure, "test/mongodb", "test/proxy"} // a store on a network is tried on a broken one
		product = []string{domain, application, infrastructure, interfaces}
	)
	return []row{
		// The rules of the business.
		{pkg: fault, module: none, closed: pure},
		{pkg: money, module: []string{fault}, libraries: decimals, closed: pure},
		{pkg: "internal/domain/order", module: []string{money, fault}, closed: pure},

		// The use cases, and the ports they call. What is committed is handed over to be told, never the other way round.
		{pkg: ordering, module: []string{domain, delivery}, libraries: helpful, closed: ported, inTests: parts},
		{pkg: receiving, module: []string{domain, ordering, wire, correlation}, libraries: helpful, closed: ported, inTests: parts},
		{pkg: "internal/application/processing", module: []string{domain, ordering}, libraries: helpful, closed: ported, inTests: parts},
		{pkg: "internal/application/importing", module: []string{domain, ordering, wire}, libraries: helpful, closed: ported, inTests: parts},
		{pkg: "internal/application/copying", module: []string{domain, delivery}, libraries: helpful, closed: ported, inTests: parts},
		{pkg: application, module: []string{domain}, libraries: helpful, closed: ported, inTests: parts},

		// The outside systems, one a package; the stores share the form in which orders are kept.
		{pkg: document, module: inside, libraries: anything},
		{pkg: stores, module: []string{domain, application, document}, libraries: anything, inTests: remote},
		{pkg: "internal/infrastructure/aws/...", module: []string{domain, application, "internal/infrastructure/aws"}, libraries: anything, inTests: parts},
		{pkg: "internal/infrastructure/certificates", module: inside, libraries: anything, inTests: []string{"test/authority"}},
		// What is measured and traced goes to the same place, under the same names.
		{pkg: "internal/infrastructure/telemetry/attributes", module: none},
		{pkg: "internal/infrastructure/telemetry/failure", module: inside},
		{pkg: "internal/infrastructure/telemetry/...", module: []string{domain, application, "internal/infrastructure/telemetry/otlp", "internal/infrastructure/telemetry/attributes", "internal/infrastructure/telemetry/failure"}, libraries: anything, inTests: append([]string{"test/collector", "test/authority"}, parts...)},
		{pkg: infrastructure, module: inside, libraries: anything, inTests: parts},

		// The ways in.
		{pkg: interfaces, module: inside, libraries: anything, inTests: parts},

		// What puts them together, and what starts that.
		{pkg: bootstrap, module: product, libraries: anything},
		{pkg: "internal/bootstrap/...", module: []string{domain}, libraries: anything},
		{pkg: "cmd/orders", module: []string{bootstrap, cli}},

		// What holds them to their word.
		{pkg: "internal/archtest", module: none},
		{pkg: "test/metrics", module: []string{"test/...", bootstrap, cli, receiving, measured}, libraries: anything}, // makes what only a worker has
		{pkg: "test/...", module: []string{"test/...", bootstrap, "internal/bootstrap/...", cli}, libraries: anything},
	}
}

// domainMayNotCall lists, by package, the functions of the standard library that reach the clock or the terminal though
// the rest of their package is open to the domain.
func domainMayNotCall() map[string][]string {
	return map[string][]string{
		"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
		"time": {"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"},
	}
}

// isEmptyName sees package names that say nothing about what is inside, also behind another word as in "timeutil".
func isEmptyName(name string) bool {
	empty := []string{
		"base", "common", "helper", "helpers", "lib", "misc", "model", "models", "shared", "type", "types", "util", "utils",
	}
	return slices.Contains(empty, name) || strings.HasSuffix(name, "util") || strings.HasSuffix(name, "utils")
}

// matches says whether dir is the package, or lies below the folder, that pattern names.
func matches(pattern, dir string) bool {
	if folder, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(dir, folder)
	}
	return dir == pattern
}
