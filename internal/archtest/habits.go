package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// checkName refuses package names that say nothing, in the folder's name and in the files.
func checkName(pkg *folder) []Breach {
	name := path.Base(pkg.dir)
	for _, f := range pkg.files {
		declared := strings.TrimSuffix(f.syntax.Name.Name, "_test")
		if isEmptyName(declared) {
			return []Breach{f.breach(f.syntax.Package, "package name %s says nothing; name it for what it holds", declared)}
		}
	}
	if isEmptyName(name) {
		return []Breach{{File: pkg.dir, Rule: fmt.Sprintf("folder name %s says nothing; name it for what it holds", name)}}
	}
	return nil
}

// checkComment wants one comment a package, in the form that the documentation tools expect. It stands in a file that
// is no test, unless the package is nothing but tests.
func checkComment(pkg *folder) []Breach {
	onlyTests := !slices.ContainsFunc(pkg.files, func(f *file) bool { return !f.tests })
	for _, f := range pkg.files {
		if f.syntax.Doc == nil || f.tests && !onlyTests {
			continue
		}
		declared := f.syntax.Name.Name
		want := "Package " + declared + " "
		if declared == "main" {
			want = "Command " + path.Base(pkg.dir) + " "
		}
		if text := f.syntax.Doc.Text(); !strings.HasPrefix(strings.ReplaceAll(text, "\n", " "), want) {
			return []Breach{f.breach(f.syntax.Doc.Pos(), "the package comment begins with %q, so that documentation tools find it", want)}
		}
		return nil
	}
	return []Breach{{File: pkg.dir, Rule: "no package comment: say in a few lines what the package is for"}}
}

// checkSize refuses files that are too long to read in one sitting.
func checkSize(pkg *folder) []Breach {
	var found []Breach
	for _, f := range pkg.files {
		if !f.generated && f.lines > maxLines {
			rule := fmt.Sprintf("%d lines, at most %d: split it by what it is about", f.lines, maxLines)
			found = append(found, Breach{File: f.name, Rule: rule})
		}
	}
	return found
}

// checkCalls refuses sleeping in tests, and in the domain every function that reaches the clock or the terminal.
func checkCalls(pkg *folder) []Breach {
	var found []Breach
	for _, f := range pkg.files {
		names := importNames(f.syntax)
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok {
				if imported, function := qualified(names, call.Fun); imported == "testing/synctest" && function == "Test" {
					return false // Inside a bubble time is not real: a sleep there only moves the clock.
				}
			}
			expr, ok := node.(ast.Expr)
			if !ok {
				return true
			}
			imported, function := qualified(names, expr)
			switch {
			case (f.tests || pkg.isKit()) && imported == "time" && function == "Sleep":
				found = append(found, f.breach(expr.Pos(), "time.Sleep in a test: wait for a signal, or use testing/synctest"))
			case !f.tests && pkg.isDomain() && slices.Contains(domainMayNotCall()[imported], function):
				found = append(found, f.breach(expr.Pos(),
					"%s.%s in the domain, which has no I/O, no clock and no log; take what it needs as an argument", imported, function))
			}
			return true
		})
	}
	return found
}

// importNames maps the names by which a file calls its imports to their paths.
func importNames(syntax *ast.File) map[string]string {
	names := make(map[string]string, len(syntax.Imports))
	for _, spec := range syntax.Imports {
		imported := importPath(spec)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	return names
}

// qualified takes an expression of the form package.Name apart; both are "" where it is none.
func qualified(names map[string]string, expr ast.Expr) (imported, name string) {
	selector, ok := expr.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	left, ok := selector.X.(*ast.Ident)
	if !ok || names[left.Name] == "" {
		return "", ""
	}
	return names[left.Name], selector.Sel.Name
}
