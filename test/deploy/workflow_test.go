package deploy_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A tag of an action can be moved to other code; a commit can't. What a job may do is said, and is little unless it says why.
func TestWorkflowsPinActions(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("workflows: %q, %v", files, err)
	}
	used := regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.*)$`)
	pinned := regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	commits := map[string]string{}
	action := regexp.MustCompile(`^[^@]+`)
	for _, file := range files {
		text := read(t, ".github/workflows/"+filepath.Base(file))
		for _, match := range used.FindAllSubmatch(text, -1) {
			use := string(match[1])
			if !pinned.MatchString(use) {
				t.Errorf("%s uses %s: name its commit, and behind # its version", filepath.Base(file), use)
			}
			name := action.FindString(use)
			if other, known := commits[name]; known && other != use {
				t.Errorf("%s is used as %s and as %s", name, other, use)
			}
			commits[name] = use
		}
		var workflow struct {
			Permissions map[string]string
		}
		if err := yaml.Unmarshal(text, &workflow); err != nil {
			t.Fatal(err)
		}
		for what, right := range workflow.Permissions {
			if right != "read" && right != "none" {
				t.Errorf("%s may %s %s in every job", filepath.Base(file), right, what)
			}
		}
		if workflow.Permissions == nil {
			t.Errorf("%s does not say what its jobs may do", filepath.Base(file))
		}
	}
}
