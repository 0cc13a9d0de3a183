// Package archtest holds the source of this module against its own rules: which package may import which, and the few
// habits a compiler does not check. The rules are the tables in rules.go; `go test ./internal/archtest` applies them to
// the whole module and names the file and line of every breach.
//
// It reads source text only: nothing is compiled and no other program is run, so every file counts whatever its build
// tags say. Nested modules, testdata and folders whose name begins with a dot or an underscore are left out.
package archtest

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
)

// Breach is one place where the source breaks a rule.
type Breach struct {
	File string // slash-separated, from the module's root; a folder where the whole package is at fault
	Line int    // from 1; 0 where the file or folder as a whole is at fault
	Rule string // what is wrong, and what would be right
}

// String gives the breach in the form that editors and terminals turn into a link.
func (b Breach) String() string {
	if b.Line == 0 {
		return b.File + ": " + b.Rule
	}
	return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Rule)
}

// Check reads the module whose go.mod is at the root of fsys and returns every breach, sorted by file and line; none
// means that the module keeps its rules. An error says that the source could not be read or is not Go.
func Check(fsys fs.FS) ([]Breach, error) {
	mod, err := readModule(fsys)
	if err != nil {
		return nil, err
	}
	var found []Breach
	for _, pkg := range mod.packages {
		found = append(found, checkName(pkg)...)
		found = append(found, checkComment(pkg)...)
		found = append(found, checkSize(pkg)...)
		found = append(found, checkImports(mod.path, pkg)...)
		found = append(found, checkCalls(pkg)...)
	}
	slices.SortStableFunc(found, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return found, nil
}
