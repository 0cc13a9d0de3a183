package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// livePath answers 200 as soon as a server does.
const livePath = "/health/live"

const (
	startLimit = 20 * time.Second // to the first answer
	stopLimit  = 30 * time.Second // from asking a server to stop to killing it
	startPause = 200 * time.Microsecond
)

// child is a server that runs in a process of its own.
type child struct {
	addr    string
	health  string        // where it is asked, without TLS, whether it is alive
	dataDir string        // of the service; empty for a bare server
	started time.Duration // from its execution to its first answer

	log    string // the file that its output goes to
	pid    int
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // how it ended; set before ended is closed
}

// service starts the program on a folder, which it makes when it is missing, with settings such as "EVENTS=none".
func (b *bench) service(ctx context.Context, dataDir string, settings ...string) (*child, error) {
	return b.serviceWithAdmin(ctx, dataDir, "", settings...)
}

// serviceWithAdmin is service with an admin address, "" for that by default.
func (b *bench) serviceWithAdmin(ctx context.Context, dataDir, admin string, settings ...string) (*child, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("free address: %w", err)
	}
	env := append(b.environment(), "HOST="+host, "PORT="+port, "DATA_DIR="+dataDir, "LOG_LEVEL="+b.logLevel)
	health := addr
	if admin != "" {
		health, env = admin, append(env, "ADMIN_ADDR="+admin)
	}
	c, err := b.start(ctx, addr, health, append(env, settings...), b.program, "serve")
	if err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	c.dataDir = dataDir
	return c, nil
}

// bare starts the server that the service is compared with; content is what it serves as any order.
func (b *bench) bare(ctx context.Context, content []byte) (*child, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	file := b.path("content")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, fmt.Errorf("keep what is to be served: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c, err := b.start(ctx, addr, addr, append(b.environment(), "GOGC="+strconv.Itoa(b.bareGC)), self, bareCommand, addr, file)
	if err != nil {
		return nil, fmt.Errorf("start the bare server: %w", err)
	}
	return c, nil
}

// environment is that of every child: nothing that the caller happens to have set changes what is measured.
func (*bench) environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
}

// start executes a server and waits for its first answer, at health.
func (b *bench) start(ctx context.Context, addr, health string, env []string, program string, args ...string) (_ *child, err error) {
	output, err := os.Create(b.path("log"))
	if err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	defer func() { err = errors.Join(err, output.Close()) }()
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.dir, env, output, output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopLimit
	c := &child{addr: addr, health: health, log: output.Name(), cancel: cancel, ended: make(chan struct{})}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("execute: %w", err)
	}
	c.pid = cmd.Process.Pid
	go func() {
		c.err = cmd.Wait()
		close(c.ended)
	}()
	if err := c.awaitAnswer(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	c.started = time.Since(started)
	return c, nil
}

// awaitAnswer returns once the server says that it is alive.
func (c *child) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	request := newRequest("GET", livePath, "")
	for {
		_, err := ask(ctx, c.health, request)
		if err == nil {
			return nil
		}
		select {
		case <-c.ended:
			return fmt.Errorf("it ended before its first answer: %s", c.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", err)
		case <-time.After(startPause):
		}
	}
}

// stop asks the server to stop and waits until it has. Stopping it again does nothing.
func (c *child) stop() error {
	select {
	case <-c.ended:
		c.cancel()
		return nil
	default:
	}
	c.cancel()
	<-c.ended
	// Wait tells that the context ended even when the process ended well.
	if c.err == nil || errors.Is(c.err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("stop a server: %w: %s", c.err, c.lastWords())
}

// lastWords returns the end of what the server wrote.
func (c *child) lastWords() string {
	const most = 600
	f, err := os.Open(c.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close() //nolint:errcheck // only read
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err.Error()
	}
	words := make([]byte, min(size, most))
	if _, err := f.ReadAt(words, size-int64(len(words))); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(words))
}

// memory returns the resident memory in bytes. Only Linux tells it.
func (c *child) memory() (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		return 0, fmt.Errorf("resident memory: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			var kib int
			if _, err := fmt.Sscanf(text, "%d kB", &kib); err != nil {
				return 0, fmt.Errorf("resident memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, errors.New("resident memory: the system does not tell it")
}

// freeAddress returns an address of the loopback interface that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free address: %w", err)
	}
	defer l.Close() //nolint:errcheck // nobody has connected
	return l.Addr().String(), nil
}
