package deploy_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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

// A release without its tests, or an image by a tag that may have moved since it was checked, is nobody's wish.
func TestWorkflowsReleaseWhatWasTested(t *testing.T) {
	type job struct {
		Needs string
		Steps []struct{ Run string }
	}
	jobs := func(file string) map[string]job {
		var workflow struct{ Jobs map[string]job }
		if err := yaml.Unmarshal(read(t, ".github/workflows/"+file), &workflow); err != nil {
			t.Fatal(err)
		}
		return workflow.Jobs
	}
	tested := func(j job) bool {
		return slices.ContainsFunc(j.Steps, func(step struct{ Run string }) bool { return step.Run == "make test" })
	}
	release := jobs("release.yml")
	for name, j := range release {
		if !tested(j) && !tested(release[j.Needs]) {
			t.Errorf("job %s of a release does not wait for the tests", name)
		}
	}
	taking := regexp.MustCompile(`(?:attestation verify|docker pull(?: --platform \S+)?) (.*?)(?: --repo.*)?(?m:$)`)
	taken := 0
	for _, j := range jobs("deploy.yml") {
		for _, step := range j.Steps {
			for _, match := range taking.FindAllStringSubmatch(step.Run, -1) {
				taken++
				if image := strings.TrimPrefix(strings.Trim(match[1], `"`), "oci://"); image != "$FROM" {
					t.Errorf("image %s is checked or pulled, not the one with the digest that was looked up", image)
				}
			}
		}
	}
	if taken != 2 {
		t.Errorf("an image is checked and pulled in %d places, want 2", taken)
	}
}
