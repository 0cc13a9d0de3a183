package archtest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"order-processing-service/internal/archtest"
)

// files are a module's source, by file name.
type files map[string]string

// check runs the rules over a module made of these files and returns what it says, a breach a line.
func check(t *testing.T, source files) string {
	t.Helper()
	fsys := fstest.MapFS{"go.mod": {Data: []byte("// The module.\nmodule example.test/shop\n\ngo 1.26\n")}}
	for name, text := range source {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	breaches, err := archtest.Check(fsys)
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	said := make([]string, 0, len(breaches))
	for _, breach := range breaches {
		said = append(said, breach.String())
	}
	return strings.Join(said, "\n")
}

// pkg is a Go file of two lines: a package comment and the package clause.
func pkg(name string) string {
	return "// Package " + name + " is here to be judged.\npackage " + name + "\n"
}

func TestImports(t *testing.T) {
	t.Parallel()
	const own = "example.test/shop/"
	for _, test := range []struct {
		file    string
		imports string
		want    string // a part of the one breach expected; "" for none
	}{
		{"internal/domain/order/order.go", own + "internal/domain/money", ""},
		{"internal/domain/order/order.go", "time", ""},
		{"internal/domain/order/order.go", "crypto/sha256", ""},
		{"internal/domain/order/order.go", "os", "order.go:3: imports os: closed to internal/domain/order"},
		{"internal/domain/order/order.go", "net/http", "closed to"},
		{"internal/domain/order/order.go", "log/slog", "closed to"},
		{"internal/domain/order/order.go", "database/sql", "closed to"},
		{"internal/domain/order/order.go", "crypto/rand", "closed to"},
		{"internal/domain/order/order.go", "testing", "closed to"},
		{"internal/domain/order/order.go", "github.com/govalues/decimal", "a library that internal/domain/order may not use"},
		{"internal/domain/order/order.go", own + "internal/application/ordering", "may import only internal/domain/money"},
		{"internal/domain/money/money.go", "github.com/govalues/decimal", ""},
		{"internal/domain/money/money.go", "github.com/govalues/decimalish", "a library that"},
		{"internal/domain/money/money.go", own + "internal/domain/order", "may import only internal/domain/fault"},
		{"internal/domain/fault/fault.go", own + "internal/domain/money", "may import no other package of this module"},
		{"internal/domain/order/order_test.go", "pgregory.net/rapid", ""},
		{"internal/domain/order/order_test.go", "os", ""},
		{"internal/domain/order/order_test.go", own + "internal/infrastructure/store/sqlite", "may import only"},

		{"internal/application/ordering/place.go", own + "internal/domain/order", ""},
		{"internal/application/ordering/place.go", own + "internal/application/delivery", ""},
		{"internal/application/ordering/place.go", own + "internal/application/importing", "may import only"},
		{"internal/application/delivery/delivery.go", own + "internal/application/ordering", "may import only internal/domain/..."},
		{"internal/application/ordering/place.go", own + "internal/infrastructure/store/sqlite", "may import only"},
		{"internal/application/ordering/place.go", "net/http", "closed to internal/application/ordering"},
		{"internal/application/ordering/place.go", "github.com/ncruces/go-sqlite3", "a library that"},
		{"internal/application/ordering/place_test.go", own + "internal/infrastructure/store/sqlite", ""},
		{"internal/application/importing/importing.go", own + "internal/application/ordering", ""},
		{"internal/application/importing/importing.go", own + "internal/application/delivery", "may import only"},

		{"internal/infrastructure/store/sqlite/sqlite.go", own + "internal/infrastructure/store/document", ""},
		{"internal/infrastructure/store/sqlite/sqlite.go", own + "internal/infrastructure/store/sqlite/migrations", ""},
		{"internal/infrastructure/store/sqlite/sqlite.go", "github.com/ncruces/go-sqlite3", ""},
		{"internal/infrastructure/store/sqlite/sqlite.go", own + "internal/infrastructure/store/mongo", "may import only"},
		{"internal/infrastructure/store/sqlite/sqlite.go", own + "internal/infrastructure/store/storetest", "may import only"},
		{"internal/infrastructure/store/sqlite/sqlite_test.go", own + "internal/infrastructure/store/storetest", ""},
		{"internal/infrastructure/store/storetest/index.go", own + "internal/infrastructure/store/sqlite", "may import only"},
		{"internal/infrastructure/simulated/simulated.go", own + "internal/infrastructure/telemetry", "may import only"},
		{"internal/infrastructure/simulated/simulated.go", own + "internal/interfaces/httpapi", "may import only"},

		{"internal/interfaces/httpapi/httpapi.go", own + "internal/application/ordering", ""},
		{"internal/interfaces/httpapi/httpapi.go", own + "internal/infrastructure/store/sqlite", "may import only"},
		{"internal/interfaces/httpapi/httpapi.go", own + "internal/interfaces/cli", "may import only"},
		{"internal/interfaces/cli/cli.go", own + "internal/bootstrap", "may import only"},

		{"internal/bootstrap/bootstrap.go", own + "internal/interfaces/httpapi", ""},
		{"internal/bootstrap/bootstrap.go", own + "internal/archtest", "may import only"},
		{"internal/bootstrap/config/config.go", own + "internal/interfaces/cli", "may import only internal/domain/..."},
		{"test/e2e/e2e.go", own + "internal/bootstrap", ""},
		{"test/e2e/e2e.go", own + "internal/infrastructure/store/sqlite", "may import only"},

		{"internal/infrastructure/simulated/simulated.go", "C", "without cgo"},
		{"internal/elsewhere/elsewhere.go", "fmt", "internal/elsewhere: no row of the import table"},
		{"internal/domain/domain.go", "fmt", "internal/domain: no row of the import table"},
		{"pkg/pkg.go", "fmt", "pkg: no row of the import table"},
	} {
		t.Run(test.file+" imports "+test.imports, func(t *testing.T) {
			t.Parallel()
			dir := test.file[:strings.LastIndex(test.file, "/")]
			name := dir[strings.LastIndex(dir, "/")+1:]
			got := check(t, files{dir + "/doc.go": pkg(name), test.file: "package " + name + "\n\nimport _ \"" + test.imports + "\"\n"})
			if test.want == "" && got != "" || !strings.Contains(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	got := check(t, files{
		"cmd/orders/main.go": "// Command orders is here to be judged.\npackage main\n\n" +
			"import _ \"example.test/shop/internal/bootstrap\"\nimport _ \"example.test/shop/internal/domain/order\"\n",
	})
	if !strings.HasPrefix(got, "cmd/orders/main.go:5: imports example.test/shop/internal/domain/order") || strings.Contains(got, "\n") {
		t.Errorf("got %q, want the second import alone", got)
	}
}

func TestHabits(t *testing.T) {
	t.Parallel()
	const (
		orders  = "internal/domain/order/order.go"
		tests   = "internal/domain/order/order_test.go"
		kit     = "internal/infrastructure/store/storetest/kit.go"
		clock   = "import nap \"time\"\n"
		comment = "// Package order is here to be judged.\n"
	)
	plain := pkg("order")
	test := "package order_test\n\nimport \"testing/synctest\"\n" + clock
	for name, test := range map[string]struct {
		source files
		want   string
	}{
		"all well":      {files{orders: plain}, ""},
		"500 lines":     {files{orders: plain + strings.Repeat("\n", 498)}, ""},
		"501 lines":     {files{orders: plain + strings.Repeat("\n", 499)}, orders + ": 501 lines, at most 500"},
		"501 generated": {files{orders: "// Code generated by gen. DO NOT EDIT.\n\n" + plain + strings.Repeat("\n", 600)}, ""},

		"no package comment":    {files{orders: "package order\n"}, "internal/domain/order: no package comment"},
		"comment in a test":     {files{orders: "package order\n", tests: comment + test}, "no package comment"},
		"comment of tests only": {files{"test/e2e/e2e_test.go": pkg("e2e_test")}, ""},
		"comment of another":    {files{orders: "// Package pay pays.\npackage order\n"}, `begins with "Package order "`},
		"detached comment":      {files{orders: comment + "\npackage order\n"}, "no package comment"},

		"empty name":        {files{"test/util/a.go": pkg("util")}, "test/util/a.go:2: package name util says nothing"},
		"empty folder name": {files{"test/helpers/a.go": plain}, "test/helpers: folder name helpers says nothing"},
		"hidden empty name": {files{"test/timeutil/a_test.go": pkg("timeutil_test")}, "package name timeutil says nothing"},

		"clock in the domain":    {files{orders: plain + clock + "var _ = nap.Now\n"}, "order.go:4: time.Now in the domain"},
		"duration in the domain": {files{orders: plain + clock + "var _ = nap.Second\n"}, ""},
		"clock in domain tests":  {files{orders: plain, tests: test + "var _ = nap.Now\n"}, ""},
		"clock outside domain":   {files{"internal/bootstrap/a.go": pkg("bootstrap") + clock + "var _ = nap.Now\n"}, ""},
		"print in the domain":    {files{orders: plain + "import \"fmt\"\nfunc f() { fmt.Println() }\n"}, "fmt.Println in the domain"},

		"sleep in a test":   {files{orders: plain, tests: test + "func f() { nap.Sleep(1) }\n"}, "order_test.go:5: time.Sleep in a test"},
		"sleep in a kit":    {files{kit: pkg("storetest") + clock + "var f = nap.Sleep\n"}, "kit.go:4: time.Sleep in a test"},
		"sleep in a bubble": {files{orders: plain, tests: test + "func f() { synctest.Test(nil, func() { nap.Sleep(1) }) }\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := check(t, test.source)
			if test.want == "" && got != "" || !strings.Contains(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// What is not this module's source is not judged; what build tags hide from one machine is.
func TestReach(t *testing.T) {
	t.Parallel()
	const bad = "package util\n"
	got := check(t, files{
		"internal/domain/order/order.go":         pkg("order"),
		"internal/domain/order/testdata/util.go": bad,
		"internal/domain/order/plan9.go":         "//go:build plan9\n\npackage order\n\nimport _ \"os\"\n",
		"vendor/example.test/util/util.go":       bad,
		".git/util.go":                           bad,
		"_old/util.go":                           bad,
		"tools/lint/go.mod":                      "module example.test/shop/tools/lint\n",
		"tools/lint/util.go":                     bad,
		"docs/util.md":                           bad,
	})
	if want := "internal/domain/order/plan9.go:5: imports os: "; !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
		t.Errorf("got %q, want %q and no more", got, want)
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, fsys := range map[string]fstest.MapFS{
		"no module":     {"main.go": {Data: []byte(pkg("main"))}},
		"nameless":      {"go.mod": {Data: []byte("go 1.26\n")}},
		"not a go file": {"go.mod": {Data: []byte("module example.test/shop\n")}, "main.go": {Data: []byte("package\n")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := archtest.Check(fsys); err == nil {
				t.Errorf("Check: got %v and no error", got)
			}
		})
	}
}
