package bootstrap

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/interfaces/cli"
)

func TestDescribe(t *testing.T) {
	recorded := func(version string) *debug.BuildInfo {
		return &debug.BuildInfo{
			Main:     debug.Module{Version: version},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}},
		}
	}
	tests := map[string]struct {
		linked   string
		revision string
		info     *debug.BuildInfo
		version  string
		commit   string
		modified bool
	}{
		"linked":              {"1.2.3", "", recorded("v1.0.0"), "1.2.3", "abc", true},
		"recorded":            {"dev", "", recorded("v1.0.0"), "1.0.0", "abc", true},
		"a folder of sources": {"dev", "", recorded("(devel)"), "dev", "abc", true},
		"not recorded":        {"dev", "", &debug.BuildInfo{}, "dev", "", false},
		"in the image":        {"1.2.3", "def", &debug.BuildInfo{}, "1.2.3", "def", false},
		"no information":      {"dev", "", nil, "dev", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := cli.Build{
				Version: tt.version, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
				Commit: tt.commit, Modified: tt.modified,
			}
			if diff := cmp.Diff(want, describe(tt.linked, tt.revision, tt.info)); diff != "" {
				t.Errorf("build (-want +got):\n%s", diff)
			}
		})
	}
}
