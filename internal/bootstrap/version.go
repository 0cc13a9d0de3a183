// Package bootstrap puts the program together: configuration, the object graph, and its start and stop.
package bootstrap

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"

	"order-processing-service/internal/interfaces/cli"
)

// Version is the program's version. A release sets it when linking:
//
//	-ldflags "-X order-processing-service/internal/bootstrap.Version=1.2.3"
//
// Nothing else may change it. While it is "dev", Build takes the version that the Go tool recorded, if there is one.
var Version = "dev"

// Revision is the commit that the program was made from, set like Version where the Go tool finds no repository to take it from, as in the
// image's build.
var Revision string

// Build tells what the running program was made from.
func Build() cli.Build {
	info, _ := debug.ReadBuildInfo() // nil in a program built without modules
	return describe(Version, Revision, info)
}

func describe(version, revision string, info *debug.BuildInfo) cli.Build {
	build := cli.Build{Version: version, Commit: revision, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return build
	}
	if recorded := strings.TrimPrefix(info.Main.Version, "v"); version == "dev" && recorded != "(devel)" {
		build.Version = cmp.Or(recorded, version)
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			build.Commit = setting.Value
		case "vcs.modified":
			build.Modified = setting.Value == "true"
		}
	}
	return build
}
