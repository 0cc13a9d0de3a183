package readme_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository.
const root = "../.."

// fence is a block of code in Markdown.
type fence struct {
	language string
	line     int // of its first line of text
	lines    []string
}

// step is a command and what it prints.
type step struct {
	line    int
	command string
	output  []string
}

func read(tb testing.TB, page string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// fences returns the blocks of code of a page.
func fences(text string) []fence {
	var all []fence
	var inside *fence
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		language, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && inside == nil:
			inside = &fence{language: language, line: number + 1}
		case isFence:
			all = append(all, *inside)
			inside = nil
		case inside != nil:
			inside.lines = append(inside.lines, line)
		}
	}
	return all
}

// steps takes a console block apart: commands stand behind "$ " and go on over lines that begin with four spaces.
func (f fence) steps() []step {
	var all []step
	for i, line := range f.lines {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, step{line: f.line + i, command: command})
			continue
		}
		if len(all) == 0 {
			continue
		}
		if s := &all[len(all)-1]; len(s.output) == 0 && strings.HasPrefix(line, "    ") {
			s.command += "\n" + line
		} else {
			s.output = append(s.output, line)
		}
	}
	return all
}

// pattern matches text that reads like lines: "…" stands for anything, and a line that begins with a space was broken
// off the one before it.
func pattern(lines []string) *regexp.Regexp {
	var text strings.Builder
	for i, line := range lines {
		whole := strings.TrimLeft(line, " ")
		if i > 0 && whole == line {
			text.WriteByte('\n')
		}
		text.WriteString(whole)
	}
	var parts []string
	for part := range strings.SplitSeq(text.String(), "…") {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*?") + `$`)
}

func TestPattern(t *testing.T) {
	block := []string{"HTTP/1.1 200 OK", "…", `{"id":"1",…`, `  "total":25.00}`}
	const right = "HTTP/1.1 200 OK\nDate: today\nEtag: \"1\"\n" + `{"id":"1","status":"PAID","total":25.00}`
	if !pattern(block).MatchString(right) {
		t.Errorf("%s does not match\n%s", pattern(block), right)
	}
	for _, wrong := range []string{right + "}", "x" + right, strings.Replace(right, "25.00", "25x00", 1), ""} {
		if pattern(block).MatchString(wrong) {
			t.Errorf("%s matches\n%s", pattern(block), wrong)
		}
	}
}

func TestSteps(t *testing.T) {
	page := "text\n```console\n$ one \\\n    two\nout\n$ three\n```\n```json\n{}\n```\n"
	blocks := fences(page)
	if len(blocks) != 2 || blocks[0].language != "console" || blocks[1].line != 9 {
		t.Fatalf("blocks: %+v", blocks)
	}
	all := blocks[0].steps()
	if len(all) != 2 || all[0].command != "one \\\n    two" || len(all[0].output) != 1 || all[1].line != 6 {
		t.Errorf("steps: %+v", all)
	}
}
