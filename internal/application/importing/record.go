package importing

import (
	"encoding/binary"
)

// record is one line of an order as it was read, or one order of NDJSON.
type record struct {
	line   int64  // of the text, from 1, on which the record begins
	key    []byte // the reference, as far as it could be read; empty for none
	defect string // why the record can't be used; "" when it can
	fields [][]byte
}

// appendRecord appends r as it is kept in memory and in files on the side.
func appendRecord(dst []byte, r *record) []byte {
	dst = binary.AppendUvarint(dst, uint64(r.line)) //nolint:gosec // lines count from 1
	dst = appendSized(dst, r.key)
	dst = appendSized(dst, r.defect)
	dst = binary.AppendUvarint(dst, uint64(len(r.fields)))
	for _, field := range r.fields {
		dst = appendSized(dst, field)
	}
	return dst
}

func appendSized[T []byte | string](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// cutSized returns what appendSized wrote at the beginning of b.
func cutSized(b []byte) []byte {
	size, n := binary.Uvarint(b)
	return b[n:][:size:size]
}

// entry is a record as it is taken back. Its texts share one piece of memory.
type entry struct {
	line   int64
	key    string
	defect string
	fields []string
}

// decodeRecord takes back what appendRecord wrote. The fields are appended to fields, which it
// returns extended.
func decodeRecord(encoded []byte, fields []string) (entry, []string) {
	d := decoder{string(encoded)}
	e := entry{line: int64(d.uvarint())} //nolint:gosec // written from an int64
	e.key, e.defect = d.sized(), d.sized()
	first := len(fields)
	for range d.uvarint() {
		fields = append(fields, d.sized())
	}
	e.fields = fields[first:len(fields):len(fields)]
	return e, fields
}

// decodeKey returns the key of an encoded record, without copying it.
func decodeKey(encoded []byte) []byte {
	_, n := binary.Uvarint(encoded)
	return cutSized(encoded[n:])
}

// decoder reads what appendRecord wrote: it stays within this process, so it is never malformed.
type decoder struct{ rest string }

func (d *decoder) uvarint() uint64 {
	var value uint64
	for i := 0; ; i++ {
		b := d.rest[i]
		value |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			d.rest = d.rest[i+1:]
			return value
		}
	}
}

func (d *decoder) sized() string {
	n := d.uvarint()
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}
