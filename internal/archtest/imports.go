package archtest

import (
	"slices"
	"strings"
)

// checkImports holds the imports of a package against the table.
func checkImports(modulePath string, pkg *folder) []Breach {
	var found []Breach
	rows := table()
	at := slices.IndexFunc(rows, func(r row) bool { return matches(r.pkg, pkg.dir) })
	if at < 0 {
		return []Breach{{
			File: pkg.dir,
			Rule: "no row of the import table matches this package: put it below a layer, or add a row in internal/archtest/rules.go",
		}}
	}
	for _, f := range pkg.files {
		for _, spec := range f.syntax.Imports {
			if why := refuse(rows[at], pkg.dir, f.tests, modulePath, importPath(spec)); why != "" {
				found = append(found, f.breach(spec.Pos(), "imports %s: %s", importPath(spec), why))
			}
		}
	}
	return found
}

// refuse says why a package may not import a path; "" means that it may.
func refuse(r row, dir string, tests bool, modulePath, imported string) string {
	if imported == "C" {
		return "the program is one static binary without cgo"
	}
	if own, ok := strings.CutPrefix(imported, modulePath+"/"); ok {
		return refuseOwn(r, dir, tests, own)
	}
	if isStandard(imported) {
		if !tests && slices.ContainsFunc(r.closed, func(root string) bool { return isBelow(root, imported) }) {
			return "closed to " + r.pkg + ", which takes such things as arguments or through a port"
		}
		return ""
	}
	if tests || slices.ContainsFunc(r.libraries, func(root string) bool { return root == anyLibrary || isBelow(root, imported) }) {
		return ""
	}
	return "a library that " + r.pkg + " may not use; keep it behind a port, or add it to the row in internal/archtest/rules.go"
}

// refuseOwn says why a package may not import another package of this module.
func refuseOwn(r row, dir string, tests bool, own string) string {
	allowed := slices.Clone(r.module)
	if tests {
		allowed = append(allowed, r.inTests...)
	}
	if isBelow(dir, own) || slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, own) }) {
		return ""
	}
	if len(allowed) == 0 {
		return r.pkg + " may import no other package of this module"
	}
	return r.pkg + " may import only " + strings.Join(allowed, ", ")
}

// isStandard says whether a path that is not this module's belongs to the standard library: the first part of any other
// module's path is a host's name.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// isBelow says whether a path is root or lies below it.
func isBelow(root, imported string) bool {
	return strings.HasPrefix(imported+"/", strings.TrimSuffix(root, "/")+"/")
}
