package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// machine is the shape of the machine, without a name by which it could be known, and what is measured on it.
type machine struct {
	cpu     string
	cores   int
	memory  string
	system  string
	service string        // what the program says of itself: the commit that it was built from, and with what
	sync    time.Duration // median of writing 4 KiB to a file and having the disk keep it
}

// lookAround describes the machine and the program; dir is on the disk that the stores are on. What the system does not
// tell is "unknown".
func lookAround(ctx context.Context, program, dir string) (machine, error) {
	version, err := exec.CommandContext(ctx, program, "version").Output()
	if err != nil {
		return machine{}, fmt.Errorf("ask for the version: %w", err)
	}
	m := machine{
		cpu:     orUnknown(field("/proc/cpuinfo", "model name", ":")),
		cores:   runtime.NumCPU(),
		memory:  "unknown",
		system:  orUnknown(strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`)) + ", " + runtime.GOOS + "/" + runtime.GOARCH,
		service: oneLine(string(version)),
	}
	var kib int
	if _, err := fmt.Sscanf(field("/proc/meminfo", "MemTotal", ":"), "%d kB", &kib); err == nil {
		m.memory = fmt.Sprintf("%.1f GiB", float64(kib)/(1<<20))
	}
	m.sync, err = syncTime(filepath.Join(dir, "sync"))
	return m, err
}

func (m machine) facts() [][2]string {
	return [][2]string{
		{"processor", fmt.Sprintf("%s, %d cores", m.cpu, m.cores)},
		{"memory", m.memory},
		{"system", m.system},
		{"service", m.service},
		{"disk", "4 KiB written and synced in " + millis(m.sync) + " (median)"},
	}
}

// field returns the value of the first line of a file that begins with name; "" when there is none.
func field(file, name, separator string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), separator); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// syncTime makes a file and returns how long a small durable write to it takes.
func syncTime(file string) (_ time.Duration, err error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, fmt.Errorf("try the disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	block := make([]byte, 4<<10)
	times := make([]time.Duration, 100)
	for i := range times {
		started := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, fmt.Errorf("try the disk: %w", err)
		}
		if err := f.Sync(); err != nil {
			return 0, fmt.Errorf("try the disk: %w", err)
		}
		times[i] = time.Since(started)
	}
	slices.Sort(times)
	return percentile(times, 0.5), nil
}
