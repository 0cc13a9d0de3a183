package readme_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/bootstrap"
)

// TestTranslation holds README.es.md to README.md, section by section: the same headings in depth and number, the same
// blocks, the same settings.
func TestTranslation(t *testing.T) {
	english, spanish := read(t, "README.md"), read(t, "README.es.md")
	if diff := cmp.Diff(depths(english), depths(spanish)); diff != "" {
		t.Errorf("depths of the headings of README.md (-) and README.es.md (+):\n%s", diff)
	}
	if diff := cmp.Diff(blocks(english), blocks(spanish)); diff != "" {
		t.Errorf("blocks of README.md (-) and README.es.md (+):\n%s", diff)
	}
	if diff := cmp.Diff(settingRows(english), settingRows(spanish)); diff != "" {
		t.Errorf("settings of README.md (-) and README.es.md (+):\n%s", diff)
	}
}

func depths(text string) []int {
	var all []int
	for _, h := range headings(text) {
		all = append(all, strings.Count(strings.SplitN(h, " ", 2)[0], "#"))
	}
	return all
}

func blocks(text string) []string {
	var all []string
	for _, f := range fences(text) {
		all = append(all, f.language+"\n"+strings.Join(f.lines, "\n"))
	}
	return all
}

var settingRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| ([^|]*) \\|")

// settingRows lists the settings of a page's table, as "NAME default".
func settingRows(text string) []string {
	var all []string
	for _, row := range settingRow.FindAllStringSubmatch(text, -1) {
		all = append(all, row[1]+" "+strings.Trim(row[2], "`"))
	}
	return all
}

// TestSettings compares the table of settings with the settings that the program has.
func TestSettings(t *testing.T) {
	settings, err := bootstrap.Commands().Settings(t.Context(), map[string]string{"MONGO_URI": "", "MONGO_HOST": ""})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, s := range settings {
		value := s.Default
		if s.Secret && value != "" {
			value = "secret" // which the program does not show, and which every reader of the predecessor's documentation knows
		}
		want = append(want, s.Name+" "+value)
	}
	if diff := cmp.Diff(want, settingRows(read(t, "README.md"))); diff != "" {
		t.Errorf("settings of the program (-) and of README.md (+):\n%s", diff)
	}
}

// TestLinks follows each link from one page to another file, or to a heading.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	for _, page := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(withoutCode(read(t, page)), -1) {
			target := found[1] + found[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			path, anchor, _ := strings.Cut(target, "#")
			file := page
			if path != "" {
				file = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			} else if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("%s links to %s, but %s has no such heading", page, target, file)
			}
		}
	}
}

// pages lists the Markdown files of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && (name == ".git" || name == "bin" || name == "dist" || name == "data"):
			return fs.SkipDir
		case strings.HasSuffix(name, ".md"):
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	codeBlock = regexp.MustCompile("(?s)```.*?\n```")
	codeSpan  = regexp.MustCompile("`[^`\n]*`")
	heading   = regexp.MustCompile(`(?m)^#+ .*$`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func withoutCode(text string) string {
	return codeSpan.ReplaceAllString(codeBlock.ReplaceAllString(text, ""), "")
}

func headings(text string) []string {
	return heading.FindAllString(codeBlock.ReplaceAllString(text, ""), -1)
}

// anchors lists the names under which a page's headings can be linked to.
func anchors(text string) []string {
	var all []string
	for _, h := range headings(text) {
		name := notInSlug.ReplaceAllString(strings.ToLower(strings.TrimLeft(h, "# ")), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}
