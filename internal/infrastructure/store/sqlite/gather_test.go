package sqlite_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"pgregory.net/rapid"

	"order-processing-service/internal/infrastructure/store/sqlite"
)

var errDisk = errors.New("the disk fails")

// disk is a file in memory. Each method fails with what is next in its list; nil lets it succeed.
type disk struct {
	vfs.File // not to be reached

	data  []byte
	fails map[string][]error
	short int // how many bytes a write that fails has written
}

func (d *disk) fail(method string) error {
	list := d.fails[method]
	if len(list) == 0 {
		return nil
	}
	d.fails[method] = list[1:]
	return list[0]
}

func (d *disk) WriteAt(p []byte, offset int64) (int, error) {
	err := d.fail("WriteAt")
	if err != nil {
		p = p[:min(d.short, len(p))]
	}
	d.data = overwrite(d.data, p, offset)
	return len(p), err
}

func (d *disk) ReadAt(p []byte, offset int64) (int, error) {
	if err := d.fail("ReadAt"); err != nil {
		return 0, err
	}
	return bytes.NewReader(d.data).ReadAt(p, offset)
}

func (d *disk) Truncate(size int64) error {
	if err := d.fail("Truncate"); err != nil {
		return err
	}
	d.data = cutTo(d.data, size)
	return nil
}

func (d *disk) Sync(vfs.SyncFlag) error { return d.fail("Sync") }

func (d *disk) Size() (int64, error) { return int64(len(d.data)), d.fail("Size") }

func (d *disk) Close() error { return d.fail("Close") }

// overwrite puts p at offset, with zeros in a hole before it.
func overwrite(data, p []byte, offset int64) []byte {
	if len(p) == 0 {
		return data
	}
	if missing := int(offset) + len(p) - len(data); missing > 0 {
		data = append(data, make([]byte, missing)...)
	}
	copy(data[offset:], p)
	return data
}

func cutTo(data []byte, size int64) []byte {
	return append(slices.Clone(data[:min(int(size), len(data))]), make([]byte, max(0, int(size)-len(data)))...)
}

// TestLogFileOnAFailingDisk does one thing to a log with "abcdef" gathered while the disk fails. What
// it then answers is an error, and the next sync, which succeeds, leaves no hole.
func TestLogFileOnAFailingDisk(t *testing.T) {
	noSpace := []error{syscall.ENOSPC}
	broken := []error{errDisk}
	sync := func(f vfs.File) error { return f.Sync(vfs.SYNC_NORMAL) }
	read := func(f vfs.File) error { _, err := f.ReadAt(make([]byte, 3), 2); return err }
	size := func(f vfs.File) error { _, err := f.Size(); return err }
	elsewhere := func(f vfs.File) error { _, err := f.WriteAt([]byte("x"), 20); return err }
	for name, test := range map[string]struct {
		method string
		fails  []error
		short  int
		do     func(vfs.File) error
		want   error // nil for any: the driver alone can read what it is given for a full disk
	}{
		"sync, nothing written":       {"WriteAt", broken, 0, sync, errDisk},
		"sync, a part written":        {"WriteAt", broken, 4, sync, errDisk},
		"sync, no space":              {"WriteAt", noSpace, 2, sync, nil},
		"sync itself":                 {"Sync", broken, 0, sync, errDisk},
		"read, nothing written":       {"WriteAt", broken, 0, read, errDisk},
		"read, a part written":        {"WriteAt", broken, 3, read, errDisk},
		"read itself":                 {"ReadAt", broken, 0, read, errDisk},
		"size, nothing written":       {"WriteAt", broken, 0, size, errDisk},
		"size itself":                 {"Size", broken, 0, size, errDisk},
		"write elsewhere":             {"WriteAt", broken, 0, elsewhere, errDisk},
		"write elsewhere, a part":     {"WriteAt", broken, 5, elsewhere, errDisk},
		"write elsewhere, no space":   {"WriteAt", noSpace, 5, elsewhere, nil},
		"truncate, nothing written":   {"WriteAt", broken, 0, func(f vfs.File) error { return f.Truncate(6) }, errDisk},
		"truncate itself":             {"Truncate", broken, 0, func(f vfs.File) error { return f.Truncate(6) }, errDisk},
		"sync, and the next one also": {"WriteAt", []error{errDisk, errDisk}, 1, func(f vfs.File) error { return errors.Join(sync(f), sync(f)) }, errDisk},
	} {
		t.Run(name, func(t *testing.T) {
			d := &disk{fails: map[string][]error{test.method: test.fails}, short: test.short}
			f := sqlite.NewLogFile(d)
			for i, part := range []string{"abc", "def"} {
				if n, err := f.WriteAt([]byte(part), int64(3*i)); n != 3 || err != nil {
					t.Fatalf("WriteAt = %d, %v", n, err)
				}
			}
			if err := test.do(f); err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("on a disk that fails: %v, want %v", err, test.want)
			}
			if err := f.Sync(vfs.SYNC_NORMAL); err != nil {
				t.Fatalf("Sync of a disk that is well again: %v", err)
			}
			if string(d.data) != "abcdef" {
				t.Errorf("after a sync the file has %q, want %q", d.data, "abcdef")
			}
		})
	}
}

// TestLogFileClose passes on that what was gathered is lost.
func TestLogFileClose(t *testing.T) {
	for _, method := range []string{"WriteAt", "Close"} {
		f := sqlite.NewLogFile(&disk{fails: map[string][]error{method: {errDisk, errDisk}}})
		if _, err := f.WriteAt([]byte("abc"), 0); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); !errors.Is(err, errDisk) {
			t.Errorf("Close when %s fails: %v", method, err)
		}
	}
}

// TestLogFileIsAFile does anything to a log, on a disk that fails now and then: whenever Sync answers
// nil, the file is what all writes that were answered nil make of it; and reads see them at once.
func TestLogFileIsAFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &disk{fails: make(map[string][]error)}
		f := sqlite.NewLogFile(d)
		var want []byte // what the file is when all is written
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			d.short = rapid.IntRange(0, 4).Draw(t, "short")
			for _, method := range []string{"WriteAt", "ReadAt", "Sync", "Truncate", "Size"} {
				d.fails[method] = nil
				if rapid.IntRange(0, 4).Draw(t, method+" fails") == 0 {
					d.fails[method] = []error{errDisk}
				}
			}
			offset := rapid.Int64Range(0, int64(len(want))).Draw(t, "offset")
			switch rapid.SampledFrom([]string{"append", "append", "write", "read", "size", "truncate", "sync"}).Draw(t, "do") {
			case "append":
				want = doWrite(t, f, want, int64(len(want)))
			case "write":
				want = doWrite(t, f, want, offset)
			case "read":
				p := make([]byte, 5)
				n, err := f.ReadAt(p, offset)
				if (err == nil || errors.Is(err, io.EOF)) && !bytes.Equal(p[:n], want[offset:min(int(offset)+5, len(want))]) {
					t.Fatalf("read %q at %d of %q", p[:n], offset, want)
				}
			case "size":
				if n, err := f.Size(); err == nil && n != int64(len(want)) {
					t.Fatalf("the size is %d, want %d", n, len(want))
				}
			case "truncate":
				if f.Truncate(offset) == nil {
					want = cutTo(want, offset)
				}
			case "sync":
				if f.Sync(vfs.SYNC_NORMAL) == nil && !bytes.Equal(d.data, want) {
					t.Fatalf("after a sync the file has %q, want %q", d.data, want)
				}
			}
		}
		d.fails = nil
		if err := f.Sync(vfs.SYNC_NORMAL); err != nil || !bytes.Equal(d.data, want) {
			t.Fatalf("at the end: %v, the file has %q, want %q", err, d.data, want)
		}
	})
}

// doWrite writes and returns what the file is then.
func doWrite(t *rapid.T, f vfs.File, want []byte, offset int64) []byte {
	p := rapid.SliceOfN(rapid.ByteRange('a', 'z'), 1, 6).Draw(t, "bytes")
	n, err := f.WriteAt(p, offset)
	if err != nil {
		return want
	}
	if n != len(p) {
		t.Fatalf("WriteAt of %d bytes = %d, nil", len(p), n)
	}
	return overwrite(want, p, offset)
}
