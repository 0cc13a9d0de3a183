package importing

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
)

// partBuffer is how much of a part is written or read at once, in bytes.
const partBuffer = 32 << 10

// parts is a set of files that hold encoded records, those of one reference all in the same file.
type parts struct {
	dir   string
	seed  maphash.Seed
	files [partitions]*part
	size  []byte
}

type part struct {
	file *os.File
	w    *bufio.Writer
}

func newParts(dir string) *parts { return &parts{dir: dir, seed: maphash.MakeSeed()} }

// write adds a record to the part of its reference; one without goes by its whole text.
func (p *parts) write(encoded []byte) error {
	key := decodeKey(encoded)
	if len(key) == 0 {
		key = encoded
	}
	i := maphash.Bytes(p.seed, key) % partitions
	if p.files[i] == nil {
		file, err := os.CreateTemp(p.dir, "orders-import-*")
		if err != nil {
			return fmt.Errorf("make a file on the side: %w", err)
		}
		// Where a file in use can lose its name, a run that is killed leaves nothing behind. Where it
		// can't, close removes it.
		_ = os.Remove(file.Name())
		p.files[i] = &part{file: file, w: bufio.NewWriterSize(file, partBuffer)}
	}
	p.size = binary.AppendUvarint(p.size[:0], uint64(len(encoded)))
	w := p.files[i].w
	_, err := w.Write(p.size)
	if err == nil {
		_, err = w.Write(encoded)
	}
	return written(err)
}

func written(err error) error {
	if err != nil {
		return fmt.Errorf("write a file on the side: %w", err)
	}
	return nil
}

// read hands the records of a part to use, as a function that answers with io.EOF at the end, and
// then removes the part.
func (p *parts) read(i int, use func(next func() ([]byte, error)) error) error {
	part := p.files[i]
	if part == nil {
		return nil
	}
	if err := written(part.w.Flush()); err != nil {
		return err
	}
	if _, err := part.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read a file on the side: %w", err)
	}
	part.w = nil // its memory is for others
	r := bufio.NewReaderSize(part.file, partBuffer)
	var buf []byte
	err := use(func() ([]byte, error) {
		size, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err == nil {
			if uint64(cap(buf)) < size {
				buf = make([]byte, size)
			}
			buf = buf[:size]
			_, err = io.ReadFull(r, buf)
		}
		if err != nil {
			return nil, fmt.Errorf("read a file on the side: %w", noEOF(err))
		}
		return buf, nil
	})
	return errors.Join(err, p.remove(i))
}

// noEOF makes sure that a file cut short is not taken for one that ends.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// close removes all parts that are left.
func (p *parts) close() error {
	var errs error
	for i := range p.files {
		errs = errors.Join(errs, p.remove(i))
	}
	return errs
}

func (p *parts) remove(i int) error {
	part := p.files[i]
	if part == nil {
		return nil
	}
	p.files[i] = nil
	err := part.file.Close()
	if removed := os.Remove(part.file.Name()); removed != nil && !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}
