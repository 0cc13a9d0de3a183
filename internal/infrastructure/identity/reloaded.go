package identity

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookPause is the least time between two looks at a file, which every request asks for.
const lookPause = time.Second

// settled is how old a file must be for its time stamp to tell that nothing was written since: clocks of file systems are
// coarse.
const settled = 3 * time.Second

// reloaded is what a file says. The file is read again when it has changed; one that then can't be used leaves what was
// known in force. It is safe for concurrent use.
type reloaded[T any] struct {
	path    string
	setting string // that names the file
	parse   func([]byte) (*T, error)
	log     *slog.Logger
	now     func() time.Time

	value  atomic.Pointer[T]
	looked atomic.Int64 // when somebody last looked, in nanoseconds since 1970

	mu      sync.Mutex
	info    os.FileInfo
	read    time.Time
	content []byte
	failing string // why the last look was in vain; "" if it was not
}

// newReloaded reads the file for the first time. The error says which setting is wrong, and why.
func newReloaded[T any](path, setting string, parse func([]byte) (*T, error), log *slog.Logger, now func() time.Time) (*reloaded[T], error) {
	f := &reloaded[T]{path: path, setting: setting, parse: parse, log: log, now: now}
	f.looked.Store(now().UnixNano())
	if _, err := f.load(); err != nil {
		return nil, fmt.Errorf("%s=%q: %w", setting, path, err)
	}
	return f, nil
}

// get returns what the file says. Nobody waits while somebody else looks whether it has changed.
func (f *reloaded[T]) get(ctx context.Context) *T {
	now, last := f.now().UnixNano(), f.looked.Load()
	if now-last >= int64(lookPause) && f.looked.CompareAndSwap(last, now) {
		f.look(ctx)
	}
	return f.value.Load()
}

// look reads the file again if it has changed, and tells what came of it.
func (f *reloaded[T]) look(ctx context.Context) {
	changed, err := f.load()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil && err.Error() != f.failing:
		f.failing = err.Error()
		f.log.WarnContext(ctx, "File can't be used; what it said before stays in force", "setting", f.setting, "path", f.path, "error", err)
	case err == nil && changed:
		f.failing = ""
		f.log.InfoContext(ctx, "File has changed and is in force", "setting", f.setting, "path", f.path)
	}
}

// load reads the file unless it is the one that was read last.
func (f *reloaded[T]) load() (changed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		f.info = nil
		return false, fmt.Errorf("the file can't be read: %w", err)
	}
	if f.info != nil && os.SameFile(info, f.info) && info.Size() == f.info.Size() && info.ModTime().Equal(f.info.ModTime()) &&
		f.read.Sub(info.ModTime()) > settled {
		return false, nil
	}
	content, err := readBounded(f.path)
	if err != nil {
		f.info = nil
		return false, err
	}
	known := f.info != nil && bytes.Equal(content, f.content)
	f.info, f.read, f.content = info, f.now(), content
	if known {
		return false, nil
	}
	value, err := f.parse(content)
	if err != nil {
		return false, err
	}
	f.value.Store(value)
	return true, nil
}

// readBounded reads a file of at most maxFile bytes.
func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the file can't be read: %w", err)
	}
	defer file.Close() //nolint:errcheck // what was only read has nothing to lose
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("the file can't be read: %w", err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("the file is larger than %d bytes", maxFile)
	}
	return content, nil
}
