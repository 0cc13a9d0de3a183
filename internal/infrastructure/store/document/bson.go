package document

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

// BSON builds a BSON document (bsonspec.org, version 1.1), member by member. It is not safe for
// concurrent use.
type BSON struct {
	w writer
	e *bsonEncoder
}

// NewBSON begins a document.
func NewBSON() *BSON {
	e := &bsonEncoder{b: make([]byte, 0, 1024)}
	e.open('{')
	return &BSON{w: writer{e}, e: e}
}

// ID adds an ObjectID.
func (d *BSON) ID(name string, id order.ID) { d.w.id(name, id) }

// Text adds text, also when it is empty.
func (d *BSON) Text(name, s string) {
	d.w.key(name)
	d.w.string(s)
}

// Integer adds a number, also when it is zero.
func (d *BSON) Integer(name string, n int64) {
	d.w.key(name)
	d.w.integer(n)
}

// Time adds a date, unless it is zero.
func (d *BSON) Time(name string, t time.Time) { d.w.time(name, t) }

// Flag adds true, unless it is not.
func (d *BSON) Flag(name string, set bool) { d.w.flag(name, set) }

// Order adds the members of an order, without its id and events. What a change can empty is there
// also when it is empty, so that setting the members of the order again leaves nothing of before.
func (d *BSON) Order(s *order.Snapshot) {
	d.w.order(s)
	if len(s.Metadata) == 0 {
		d.w.key("metadata")
		d.w.openMap()
		d.w.closeMap()
	}
}

// Events adds a list of events.
func (d *BSON) Events(name string, events []order.Event) {
	d.w.key(name)
	d.w.open('[')
	for i := range events {
		d.w.event(&events[i])
	}
	d.w.close(']')
}

// Tracks adds a list of tracks.
func (d *BSON) Tracks(name string, tracks delivery.Tracks) {
	d.w.key(name)
	d.w.tracks(tracks)
}

// Bytes ends the document and returns it.
func (d *BSON) Bytes() bson.Raw {
	d.e.close('}')
	return d.e.b
}

// DecodeOrderBSON reads the members that BSON.Order wrote, in any version of the form, among others.
// The error is a fault of kind Internal.
func DecodeOrderBSON(id order.ID, raw bson.Raw) (*order.Order, error) {
	s, ok := quickOrderBSON(id, string(raw))
	if !ok {
		var err error
		if s, err = anyOrderBSON(id, raw); err != nil {
			return nil, damaged(fmt.Errorf("decode order %s: %w", id, err))
		}
	}
	o, err := order.Restore(s)
	if err != nil {
		return nil, damaged(err)
	}
	return o, nil
}

// anyOrderBSON reads whatever quickOrderBSON does not.
func anyOrderBSON(id order.ID, raw bson.Raw) (order.Snapshot, error) {
	var d orderDoc
	if err := unmarshal(raw, &d); err != nil {
		return order.Snapshot{}, err
	}
	return d.snapshot(id)
}

// DecodeEventsBSON reads a part of what BSON.Events wrote: events whose sequences have no gaps. The
// error is a fault of kind Internal.
func DecodeEventsBSON(list bson.RawArray) ([]order.Event, error) {
	values, err := list.Values()
	if err != nil {
		return nil, damaged(fmt.Errorf("decode events: %w", err))
	}
	events := make([]order.Event, len(values))
	for i, value := range values {
		var d eventDoc
		raw, _ := value.DocumentOK()
		if err = unmarshal(raw, &d); err == nil {
			events[i], err = d.event()
		}
		if err == nil && events[i].Sequence != events[0].Sequence+i {
			err = fmt.Errorf("its sequence is %d", events[i].Sequence)
		}
		if err != nil {
			return nil, damaged(fmt.Errorf("decode event %d after that of sequence %d: %w", i, events[0].Sequence, err))
		}
	}
	return events, nil
}

// DecodeTracksBSON reads what BSON.Tracks wrote. The error is a fault of kind Internal.
func DecodeTracksBSON(value bson.RawValue) (delivery.Tracks, error) {
	var d struct {
		Tracks []trackDoc `json:"tracks"`
	}
	list, ok := value.ArrayOK()
	if !ok {
		return nil, damaged(fmt.Errorf("decode tracks: a list is wanted, not %s", value.Type))
	}
	values, err := list.Values()
	if err != nil {
		return nil, damaged(fmt.Errorf("decode tracks: %w", err))
	}
	d.Tracks = make([]trackDoc, len(values))
	for i, value := range values {
		raw, _ := value.DocumentOK()
		if err := unmarshal(raw, &d.Tracks[i]); err != nil {
			return nil, damaged(fmt.Errorf("decode tracks: %w", err))
		}
	}
	return tracksOf(d.Tracks), nil
}

func unmarshal(raw bson.Raw, v any) error {
	decoder := bson.NewDecoder(bson.NewDocumentReader(bytes.NewReader(raw)))
	decoder.UseJSONStructTags()
	return decoder.Decode(v)
}

// bsonEncoder writes BSON. The name of an element stands before its value and after its type, so a key
// is kept until the value is known.
type bsonEncoder struct {
	b     []byte
	name  string
	outer []level // what is open
}

// level is an object or a list that is open.
type level struct {
	start int // where its length stands
	list  bool
	count int // elements of the list so far
}

// element writes the beginning of a member of what is open.
func (e *bsonEncoder) element(t bson.Type) {
	if len(e.outer) == 0 {
		return // the document itself
	}
	e.b = append(e.b, byte(t))
	if in := &e.outer[len(e.outer)-1]; in.list {
		e.b = strconv.AppendInt(e.b, int64(in.count), 10)
		in.count++
	} else {
		e.b = append(e.b, e.name...)
	}
	e.b = append(e.b, 0)
}

func (e *bsonEncoder) open(bracket byte) {
	list := bracket == '['
	if list {
		e.element(bson.TypeArray)
	} else {
		e.element(bson.TypeEmbeddedDocument)
	}
	e.outer = append(e.outer, level{start: len(e.b), list: list})
	e.b = append(e.b, 0, 0, 0, 0)
}

func (e *bsonEncoder) close(byte) {
	e.b = append(e.b, 0)
	start := e.outer[len(e.outer)-1].start
	e.outer = e.outer[:len(e.outer)-1]
	binary.LittleEndian.PutUint32(e.b[start:], uint32(len(e.b)-start)) //nolint:gosec // orders are bounded
}

func (e *bsonEncoder) key(name string) { e.name = name }

// string replaces what is not UTF-8, as its JSON form does: servers refuse it.
func (e *bsonEncoder) string(s string) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	e.element(bson.TypeString)
	e.b = binary.LittleEndian.AppendUint32(e.b, uint32(len(s)+1)) //nolint:gosec // orders are bounded
	e.b = append(e.b, s...)
	e.b = append(e.b, 0)
}

// integer writes 32 bits where they do, as a shell does, else 64.
func (e *bsonEncoder) integer(n int64) {
	if int64(int32(n)) == n { //nolint:gosec // this is the question
		e.element(bson.TypeInt32)
		e.b = binary.LittleEndian.AppendUint32(e.b, uint32(n)) //nolint:gosec // bits only
		return
	}
	e.element(bson.TypeInt64)
	e.b = binary.LittleEndian.AppendUint64(e.b, uint64(n)) //nolint:gosec // bits only
}

func (e *bsonEncoder) identity(id order.ID) {
	e.element(bson.TypeObjectID)
	e.b = append(e.b, id[:]...)
}

func (e *bsonEncoder) moment(t time.Time) {
	e.element(bson.TypeDateTime)
	e.b = binary.LittleEndian.AppendUint64(e.b, uint64(t.UnixMilli()))
}

func (e *bsonEncoder) yes() {
	e.element(bson.TypeBoolean)
	e.b = append(e.b, 1)
}

func (e *bsonEncoder) decimal(p money.Price, c money.Currency) {
	e.element(bson.TypeString)
	at := len(e.b)
	e.b = append(e.b, 0, 0, 0, 0)
	e.b = p.AppendDecimal(e.b, c)
	e.b = append(e.b, 0)
	binary.LittleEndian.PutUint32(e.b[at:], uint32(len(e.b)-at-4)) //nolint:gosec // a few digits
}

// value writes what was read somewhere else, as it is.
func (e *bsonEncoder) value(v bson.RawValue) {
	e.element(v.Type)
	e.b = append(e.b, v.Value...)
}

func (e *bsonEncoder) openMap() { e.open('[') }

func (e *bsonEncoder) entry(key string, value *string) {
	e.open('{')
	e.key("k")
	e.string(key)
	e.key("v")
	if value != nil {
		e.string(*value)
	} else {
		e.element(bson.TypeNull)
	}
	e.close('}')
}

func (e *bsonEncoder) closeMap() { e.close(']') }
