package image_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/image"
)

// read returns what the Dockerfile at the root of the repository says.
func read(t *testing.T) *image.Dockerfile {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	d, err := image.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDockerfileSays(t *testing.T) {
	last := read(t).Last()

	t.Run("FromNothing", func(t *testing.T) {
		if last.Image != "scratch" || len(last.Runs) > 0 {
			t.Errorf("the image is made from %q and runs %q while it is built; it should hold what is copied into it alone", last.Image, last.Runs)
		}
	})
	t.Run("UserByNumber", func(t *testing.T) {
		if user, group := ids(t, last.User); user == 0 || group == 0 {
			t.Errorf("it runs as %s: that is root", last.User)
		}
	})
	t.Run("OneProgram", func(t *testing.T) {
		if diff := cmp.Diff([]string{"/orders"}, last.Entrypoint); diff != "" {
			t.Errorf("entry point: %s", diff)
		}
		if diff := cmp.Diff([]string{"serve"}, last.Command); diff != "" {
			t.Errorf("command: %s", diff)
		}
		if diff := cmp.Diff([]string{"/orders", "healthcheck", "--live"}, last.Healthcheck); diff != "" {
			t.Errorf("health check: %s", diff)
		}
	})
	t.Run("ListensForOthers", func(t *testing.T) {
		if diff := cmp.Diff(map[string]string{"HOST": "0.0.0.0", "PORT": "8000"}, last.Env); diff != "" {
			t.Errorf("environment, in which DATA_DIR must not be, so that Lambda can tell that nobody named a folder: %s", diff)
		}
		if diff := cmp.Diff([]string{last.Env["PORT"]}, last.Ports); diff != "" {
			t.Errorf("ports: %s", diff)
		}
	})
	t.Run("KeepsOrdersInData", func(t *testing.T) {
		if last.Workdir != "/" { // so that ./data, the default, is /data
			t.Errorf("it starts in %q, not in /", last.Workdir)
		}
		if diff := cmp.Diff([]string{"/data"}, last.Volumes); diff != "" {
			t.Errorf("volumes: %s", diff)
		}
	})
	t.Run("Labels", func(t *testing.T) {
		for _, label := range []string{"title", "description", "licenses", "version", "revision", "source"} {
			if last.Labels["org.opencontainers.image."+label] == "" {
				t.Errorf("no label %s", label)
			}
		}
	})
}

// An image whose name can mean another image tomorrow is not what was tried today.
func TestDockerfilePinsImages(t *testing.T) {
	d := read(t)
	pinned := regexp.MustCompile(`^[a-z0-9./-]+(:[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.-]*|@sha256:[0-9a-f]{64})$`)
	for _, stage := range d.Stages {
		if stage.Image == "scratch" {
			continue
		}
		argument := strings.Trim(stage.Image, "${}")
		if base := d.Arguments[argument]; !pinned.MatchString(base) {
			t.Errorf("FROM %s: %q is neither a whole version nor a digest", stage.Image, base)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"Nothing":     "# no instruction",
		"Instruction": "FROM scratch\nADD a b",
		"Flag":        "FROM scratch\nCOPY --chmod=777 a b",
		"Shell":       "FROM scratch\nCMD serve",
		"Quotes":      "FROM scratch\nENV A=\"b",
		"BeforeFrom":  "ENV A=b\nFROM scratch",
	} {
		t.Run(name, func(t *testing.T) {
			if d, err := image.Parse(text); err == nil {
				t.Errorf("read as %+v", d)
			}
		})
	}
}

// ids are the numbers of "user:group".
func ids(t *testing.T, owner string) (user, group uint32) {
	t.Helper()
	first, second, _ := strings.Cut(owner, ":")
	u, err := strconv.ParseUint(first, 10, 32)
	if err != nil {
		t.Fatalf("user of %q: %v", owner, err)
	}
	g, err := strconv.ParseUint(second, 10, 32)
	if err != nil {
		t.Fatalf("group of %q: %v", owner, err)
	}
	return uint32(u), uint32(g)
}
