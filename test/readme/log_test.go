package readme_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logPage has a table of the log's lines.
const logPage = "docs/log.md"

// TestLogLines compares the table of log lines with the messages that the program has.
func TestLogLines(t *testing.T) {
	page, messages := read(t, logPage), logMessages(t)
	for message, where := range messages {
		if !slices.ContainsFunc(namesOf(message), func(name string) bool { return strings.Contains(page, "`"+name+"`") }) {
			t.Errorf("%s: the log line %q is not in %s", where, message, logPage)
		}
	}
	rows := logRow.FindAllStringSubmatch(page, -1)
	for _, row := range rows {
		is := func(message string) bool { return slices.Contains(namesOf(message), row[1]) }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(messages)), is) {
			t.Errorf("%s has %q, which the program never says", logPage, row[1])
		}
	}
	if len(messages) == 0 || len(rows) == 0 {
		t.Errorf("there are %d messages and %d rows", len(messages), len(rows))
	}
}

// logRow is a row of the table up to its first message.
var logRow = regexp.MustCompile("(?m)^\\| [A-Z, ]+ \\| `([^`]+)`")

// namesOf is how the page may name a message: its advice may be left out.
func namesOf(message string) []string {
	names := []string{message}
	for _, end := range []string{"; ", ". "} {
		if before, _, ok := strings.Cut(message, end); ok {
			names = append(names, before+strings.TrimSuffix(end, " ")+" …")
		}
	}
	return names
}

// logMessages returns the messages of the program's log lines, each with a place where it is written.
func logMessages(t *testing.T) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	packages := map[string][]*ast.File{}
	err := fs.WalkDir(os.DirFS(root), "internal", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		packages[path.Dir(name)] = append(packages[path.Dir(name)], file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string]string{}
	for _, syntax := range packages {
		texts := constants(syntax)
		for _, file := range syntax {
			ast.Inspect(file, func(node ast.Node) bool {
				if expr := logMessage(node); expr != nil {
					where := files.Position(expr.Pos()).String()
					message := textOf(expr, texts)
					if message == "" {
						t.Errorf("%s: the message is no constant of its package", where)
					}
					messages[message] = where
				}
				return true
			})
		}
	}
	return messages
}

// logMessage returns the message of a call of a logger; nil if the node is something else.
func logMessage(node ast.Node) ast.Expr {
	call, ok := node.(*ast.CallExpr)
	if !ok {
		return nil
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	at := map[string]int{"DebugContext": 1, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1, "Log": 2, "LogAttrs": 2}[method.Sel.Name]
	if at == 0 || at >= len(call.Args) {
		return nil
	}
	return call.Args[at]
}

// constants returns the texts of the constants of a package.
func constants(files []*ast.File) map[string]string {
	texts := map[string]string{}
	for _, file := range files {
		for _, declared := range file.Decls {
			group, ok := declared.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				value, ok := spec.(*ast.ValueSpec)
				for i := 0; ok && i < min(len(value.Names), len(value.Values)); i++ {
					texts[value.Names[i].Name] = textOf(value.Values[i], nil)
				}
			}
		}
	}
	return texts
}

// textOf returns the text that stands there or that a constant has; "" if it is neither.
func textOf(expr ast.Expr, texts map[string]string) string {
	switch e := expr.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.Ident:
		return texts[e.Name]
	default:
		return ""
	}
}
