package importing

import (
	"errors"
	"io"
)

const (
	// DefaultMemory is how much memory records may take while they wait for the rest of their order,
	// in bytes.
	DefaultMemory = 64 << 20
	// partitions is how many parts records are split into when they take more.
	partitions = 64
	// maxDepth is how often parts are split again. Beyond it a part is held whatever it takes, which
	// only budgets smaller than one order ever come to.
	maxDepth = 3
)

// gatherer brings the records of each reference together, wherever they stand in the input, in
// bounded memory.
//
// Records are held in a table. When it takes more than memory bytes, all that it holds and all that
// still comes goes to files on the side, to which file being decided by a hash of the reference;
// then each file is gathered by itself, and split again if it is still too much. Orders leave in the
// order of their first line, within each part.
type gatherer struct {
	memory int
	dir    string // for files on the side; "" for the system's own
	drop   dropFunc
	// leave is called with each table when all of its groups are complete.
	leave func(*table) error
}

// gather takes encoded records from next until it answers with io.EOF. What next returns is used
// before the next call.
func (g *gatherer) gather(next func() ([]byte, error), depth int) error {
	t := newTable()
	for t.size <= g.memory || depth == maxDepth {
		encoded, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return g.leave(t)
		case err != nil:
			return err
		case isMark(encoded):
			t.refuse(encoded)
		default:
			if err := t.add(encoded, g.drop); err != nil {
				return err
			}
		}
	}
	return g.split(t, next, depth)
}

// split goes on for gather when the table has taken too much memory.
func (g *gatherer) split(t *table, next func() ([]byte, error), depth int) (err error) {
	aside := newParts(g.dir)
	defer func() { err = errors.Join(err, aside.close()) }()
	if err := t.spill(aside); err != nil {
		return err
	}
	for {
		encoded, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := aside.write(encoded); err != nil {
			return err
		}
	}
	for i := range partitions {
		err := aside.read(i, func(next func() ([]byte, error)) error { return g.gather(next, depth+1) })
		if err != nil {
			return err
		}
	}
	return nil
}

// spill writes everything that the table knows to files: its records, and which references are
// refused.
func (t *table) spill(to *parts) error {
	var mark []byte
	for i := range t.groups {
		g := &t.groups[i]
		if g.refused != "" {
			mark = appendMark(mark[:0], g.key, g.refused)
			if err := to.write(mark); err != nil {
				return err
			}
		}
	}
	for i := range t.records {
		if encoded := t.text(int32(i)); !t.refused(encoded) {
			if err := to.write(encoded); err != nil {
				return err
			}
		}
	}
	return nil
}

// refused reports whether the record's group holds no records any more.
func (t *table) refused(encoded []byte) bool {
	i, known := t.byKey[string(decodeKey(encoded))]
	return known && t.groups[i].refused != ""
}

// refuse takes note of a mark.
func (t *table) refuse(mark []byte) {
	e, _ := decodeRecord(mark, nil)
	t.at([]byte(e.key)).refused = e.defect
}

// A mark is a record on line 0: its reference is refused, for the reason that is its defect.
func appendMark(dst []byte, key, reason string) []byte {
	return appendRecord(dst, &record{key: []byte(key), defect: reason})
}

func isMark(encoded []byte) bool { return encoded[0] == 0 }
