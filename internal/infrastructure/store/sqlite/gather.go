package sqlite

import (
	"errors"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// gatheringVFS is the name under which the file system that gathers log writes is registered.
const gatheringVFS = "orders-gathering"

// registerVFS makes the file system known to the driver.
//
//nolint:gochecknoglobals // the driver's registry is global
var registerVFS = sync.OnceValue(func() error {
	base, ok := vfs.Find("").(vfs.VFSFilename)
	if !ok {
		return errors.New("the driver's file system can't be built upon on this platform")
	}
	vfs.Register(gatheringVFS, gatherer{base})
	return nil
})

// gatherer is the driver's file system, but for the write-ahead log: SQLite writes that in two
// system calls a page, which cost more than inserting an order does. Here they are gathered and
// written in one call when the log is synced.
//
// That is safe only with synchronous=FULL, which the store always sets: SQLite then syncs the log
// before it lets readers see what was appended, and answers a commit only after that.
type gatherer struct{ vfs.VFSFilename }

func (g gatherer) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, got, err := g.VFSFilename.OpenFilename(name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		return &logFile{File: f}, got, nil
	}
	return f, got, err
}

// maxGathered bounds the memory of a huge transaction, in bytes.
const maxGathered = 1 << 20

// logFile is an open write-ahead log. SQLite uses it from one goroutine at a time.
type logFile struct {
	vfs.File
	gathered []byte
	offset   int64 // in the file, of the first gathered byte
}

// flush writes what was gathered. What could not be written is kept: the next flush tries again or
// fails again, so that a sync never succeeds over a hole. Writing the same place twice does no harm.
func (l *logFile) flush() error {
	if len(l.gathered) == 0 {
		return nil
	}
	_, err := l.File.WriteAt(l.gathered, l.offset)
	if errors.Is(err, syscall.ENOSPC) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	if err != nil {
		return err
	}
	l.gathered = l.gathered[:0]
	return nil
}

func (l *logFile) WriteAt(p []byte, offset int64) (int, error) {
	end := l.offset + int64(len(l.gathered))
	if len(l.gathered) > 0 && (offset != end || len(l.gathered) >= maxGathered) {
		if err := l.flush(); err != nil {
			return 0, err
		}
	}
	if len(l.gathered) == 0 {
		l.offset = offset
	}
	l.gathered = append(l.gathered, p...)
	return len(p), nil
}

func (l *logFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > l.offset {
		if err := l.flush(); err != nil {
			return 0, err
		}
	}
	return l.File.ReadAt(p, offset)
}

func (l *logFile) Sync(flags vfs.SyncFlag) error {
	if err := l.flush(); err != nil {
		return err
	}
	return l.File.Sync(flags)
}

func (l *logFile) Truncate(size int64) error {
	if err := l.flush(); err != nil {
		return err
	}
	return l.File.Truncate(size)
}

func (l *logFile) Size() (int64, error) {
	if err := l.flush(); err != nil {
		return 0, err
	}
	return l.File.Size()
}

func (l *logFile) Close() error { return errors.Join(l.flush(), l.File.Close()) }

// Unwrap lets the driver reach the abilities of the file behind.
func (l *logFile) Unwrap() vfs.File { return l.File }
