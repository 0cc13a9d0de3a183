package order

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"order-processing-service/internal/domain/fault"
)

// ID names an order or a record inside one. It has the size and text form of a MongoDB ObjectID:
// 12 bytes, written as 24 lower-case hexadecimal digits.
type ID [12]byte

// ErrNotFound is the fault for an id that no order has, malformed ids included.
var ErrNotFound = fault.New(fault.NotFound, "order_not_found",
	"there is no order with this id; check the id (24 hexadecimal digits)")

// ParseID reads the text form of an id, in either case. The error is ErrNotFound: a malformed id
// names no order.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != 2*len(id) {
		return ID{}, ErrNotFound
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return ID{}, ErrNotFound
	}
	return id, nil
}

// TimedID returns the id that begins with at, to the second, and goes on with unique: ids made later
// sort later. The layout is that of ObjectID (BSON types, "ObjectId"). Unique must differ from call
// to call, across processes.
func TimedID(at time.Time, unique [8]byte) ID {
	var id ID
	binary.BigEndian.PutUint32(id[:4], uint32(at.Unix())) //nolint:gosec // the format's 32 bits last until 2106
	copy(id[4:], unique[:])
	return id
}

// KeyedID returns the id that an idempotency key decides: the first 96 bits of a SHA-256 over who
// calls, what is made and the key. Equal arguments give equal ids, so that a store's primary key
// makes a repeat impossible.
func KeyedID(caller, kind, key string) ID {
	h := sha256.New()
	for _, part := range []string{caller, kind, key} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return ID(h.Sum(nil)[:12])
}

// String returns the 24 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// AppendText appends the 24 hexadecimal digits; the error is always nil.
func (id ID) AppendText(dst []byte) ([]byte, error) { return hex.AppendEncode(dst, id[:]), nil }

// Compare orders ids by their bytes, as their text form sorts.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// IsZero reports whether id is the zero value, which names nothing.
func (id ID) IsZero() bool { return id == ID{} }
