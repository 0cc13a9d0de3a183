package image_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"order-processing-service/test/image"
)

// Patience bounds every wait for the program.
const patience = 30 * time.Second

// version is what the image under test is built as.
const version = "9.8.7-test"

// revision is the commit that it is built of. The stage has no repository to take it from.
const revision = "0123456789abcdef"

// container is the content of the image's last stage in a folder of its own, and what the Dockerfile says to run there.
type container struct {
	root   string
	inside *os.Root // the same folder; no path leads out of it
	said   image.Stage
}

// build does what the Dockerfile says: it runs the first stage's commands on this source, and copies what the last stage
// copies. Without root it can't give files to the image's user, and the test is left out, unless ORDERS_REQUIRE_ROOT says that
// it must not be.
func build(t *testing.T) container {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("ORDERS_REQUIRE_ROOT") != "" {
			t.Fatal("this test changes its root folder and its user, and must be run as root")
		}
		t.Skip("the image was not tried: changing the root folder and the user takes root")
	}
	d := read(t)
	built := t.TempDir()
	for _, run := range d.Stages[0].Runs {
		if run == "go mod download" {
			continue // tests need what it brings as well
		}
		command := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(run, "/out/", built+"/out/"))
		command.Dir = "../.."
		command.Env = append(os.Environ(), "VERSION="+version, "REVISION="+revision, "GOFLAGS=-buildvcs=false", "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("RUN %s: %v\n%s", run, err, output)
		}
	}
	c := container{root: t.TempDir(), said: d.Last()}
	if err := os.Chmod(c.root, 0o755); err != nil {
		t.Fatal(err)
	}
	inside, err := os.OpenRoot(c.root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inside.Close() })
	c.inside = inside
	for _, from := range c.said.Copies {
		for _, source := range from.Sources {
			if strings.HasPrefix(source, "/out/") {
				source = built + source
			}
			c.lay(t, source, from)
		}
	}
	return c
}

// lay copies one source as COPY does: for root or --chown's user, with folders above it that are root's.
func (c container) lay(t *testing.T, source string, from image.Copy) {
	t.Helper()
	info, err := os.Stat(source)
	if err != nil {
		t.Fatalf("COPY %s: %v", source, err)
	}
	target := strings.TrimPrefix(from.Target, "/")
	if strings.HasSuffix(from.Target, "/") {
		target = filepath.Join(target, filepath.Base(source))
	}
	if err := c.inside.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		c.layFolder(t, source, target)
	} else {
		content, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.inside.WriteFile(target, content, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	if from.Owner != "" {
		user, group := ids(t, from.Owner)
		if err := c.inside.Chown(target, int(user), int(group)); err != nil {
			t.Fatal(err)
		}
	}
}

// layFolder makes an empty folder; the image has no others.
func (c container) layFolder(t *testing.T, source, target string) {
	t.Helper()
	if content, err := os.ReadDir(source); err != nil || len(content) > 0 {
		t.Fatalf("COPY %s: a folder with something in it (%v), which this test can't copy yet", source, err)
	}
	if err := c.inside.MkdirAll(target, 0o755); err != nil {
		t.Fatal(err)
	}
}

// path is where a path of the image is on this machine.
func (c container) path(of string) string { return filepath.Join(c.root, filepath.FromSlash(of)) }

// command is the image's entry point with arguments, in the image's root, folder, environment and user. Settings are added
// to the environment, as docker run --env does.
func (c container) command(ctx context.Context, t *testing.T, arguments []string, settings ...string) *exec.Cmd {
	t.Helper()
	line := slices.Concat(c.said.Entrypoint, arguments)
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Dir = c.said.Workdir
	command.Env = []string{}
	for name, value := range c.said.Env {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Env = append(command.Env, settings...)
	user, group := ids(t, c.said.User)
	command.SysProcAttr = &syscall.SysProcAttr{
		Chroot: c.root, Credential: &syscall.Credential{Uid: user, Gid: group, Groups: []uint32{}},
		Pdeathsig: syscall.SIGKILL,
	}
	return command
}

// run runs the program until it ends, and returns what it wrote and its exit code.
func (c container) run(t *testing.T, input string, arguments []string, settings ...string) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := c.command(ctx, t, arguments, settings...)
	command.Stdin = strings.NewReader(input)
	written, err := command.CombinedOutput()
	if err != nil && command.ProcessState == nil {
		t.Fatalf("orders %s does not start: %v", strings.Join(arguments, " "), err)
	}
	return string(written), command.ProcessState.ExitCode()
}

// server is a program that listens.
type server struct {
	url, port string
	stop      func() // ends it in good order; may be called again
}

// serve starts what the image starts when it is told nothing, on a free port of the loopback interface, and stops it when
// the test ends.
func (c container) serve(t *testing.T, settings ...string) server {
	t.Helper()
	// It outlives the test's context by its own stop.
	command := c.command(context.WithoutCancel(t.Context()), t, c.said.Command, append([]string{"HOST=127.0.0.1", "PORT=0"}, settings...)...)
	log := &listening{url: make(chan string, 1)}
	command.Stdout, command.Stderr = log, log
	// The process that is told to die with its parent dies with the thread that started it.
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			ended <- command.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("the image does not start: %v", err)
	}
	s := server{stop: sync.OnceFunc(func() {
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the image does not stop in good order: %v\n%s", err, log)
			}
		case <-time.After(patience):
			_ = command.Process.Kill() // it is lost already
			t.Errorf("the image does not stop\n%s", log)
		}
	})}
	select {
	case s.url = <-log.url:
	case err := <-ended:
		t.Fatalf("the image ended by itself: %v\n%s", err, log)
	case <-time.After(patience):
		t.Fatalf("the image does not listen\n%s", log)
	}
	t.Cleanup(s.stop)
	s.port = s.url[strings.LastIndex(s.url, ":")+1:]
	if _, err := strconv.Atoi(s.port); err != nil {
		t.Fatalf("it listens at %s", s.url)
	}
	return s
}

// listening is a log that waits for the line which says where the program listens. It is safe for concurrent use.
type listening struct {
	url chan string // gets it, once

	mu    sync.Mutex
	lines bytes.Buffer
	seen  int // bytes of the lines that were looked at
}

// Write takes what the pipe had: a part of a line, or several.
func (l *listening) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines.Write(text)
	for {
		line, _, whole := bytes.Cut(l.lines.Bytes()[l.seen:], []byte("\n"))
		if !whole {
			return len(text), nil
		}
		l.seen += len(line) + 1
		var said struct {
			Message string `json:"message"`
			URL     string `json:"url"`
		}
		if json.Unmarshal(line, &said) == nil && said.Message == "listening" {
			l.url <- said.URL
		}
	}
}

// String returns all lines so far.
func (l *listening) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}
