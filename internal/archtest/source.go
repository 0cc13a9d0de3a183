package archtest

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// module is the parsed source of one Go module.
type module struct {
	path     string // as go.mod says
	packages []*folder
}

// folder is the Go files of one folder: a package and its external test package.
type folder struct {
	dir   string // slash-separated, from the module's root
	files []*file
}

// isDomain says whether the package belongs to the innermost layer.
func (pkg *folder) isDomain() bool { return strings.HasPrefix(pkg.dir, "internal/domain/") }

// isKit says whether the package is for tests only, whatever its files are called.
func (pkg *folder) isKit() bool {
	return strings.HasPrefix(pkg.dir, "test/") || strings.HasSuffix(path.Base(pkg.dir), "test")
}

// file is one Go file.
type file struct {
	name      string // slash-separated, from the module's root
	lines     int
	generated bool
	tests     bool // a _test.go file
	syntax    *ast.File
	positions *token.FileSet
}

// line says where in the file a position is.
func (f *file) line(pos token.Pos) int { return f.positions.Position(pos).Line }

// breach reports a rule broken at a position of the file.
func (f *file) breach(pos token.Pos, format string, args ...any) Breach {
	return Breach{File: f.name, Line: f.line(pos), Rule: fmt.Sprintf(format, args...)}
}

// importPath gives the path of an import without its quotes.
func importPath(spec *ast.ImportSpec) string {
	imported, err := strconv.Unquote(spec.Path.Value)
	if err != nil { // The parser refuses such a file, so this is never seen.
		return spec.Path.Value
	}
	return imported
}

// readModule parses every Go file of the module at the root of fsys.
func readModule(fsys fs.FS) (*module, error) {
	gomod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	mod := &module{path: modulePath(gomod)}
	if mod.path == "" {
		return nil, errors.New("read module: go.mod names no module")
	}
	folders := map[string]*folder{}
	err = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isLeftOut(fsys, name):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		parsed, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if folders[dir] == nil {
			folders[dir] = &folder{dir: dir}
			mod.packages = append(mod.packages, folders[dir])
		}
		folders[dir].files = append(folders[dir].files, parsed)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	return mod, nil
}

// modulePath finds the module directive of a go.mod file.
func modulePath(gomod []byte) string {
	for line := range strings.Lines(string(gomod)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return strings.Trim(fields[1], `"`)
		}
	}
	return ""
}

// isLeftOut says whether a folder holds no source of this module.
func isLeftOut(fsys fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	return err == nil
}

// readFile parses one Go file.
func readFile(fsys fs.FS, name string) (*file, error) {
	source, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	positions := token.NewFileSet()
	syntax, err := parser.ParseFile(positions, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &file{
		name:      name,
		lines:     bytes.Count(source, []byte("\n")),
		generated: ast.IsGenerated(syntax),
		tests:     strings.HasSuffix(name, "_test.go"),
		syntax:    syntax,
		positions: positions,
	}, nil
}
