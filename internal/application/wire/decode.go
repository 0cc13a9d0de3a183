package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/domain/fault"
)

// reader reads one JSON text. Its methods return an error only when the text can't be read on; a
// value that is wrong in itself is noted as a fault, and reading goes on behind it, so that one
// answer names every fault. Duplicate names and invalid UTF-8 are errors.
type reader struct {
	dec    jsontext.Decoder
	input  bytes.Buffer
	path   []step
	faults []fault.Field
}

// step is one step of a location: into an element of an array or into a member of an object.
type step struct {
	element bool
	index   int
	name    string
}

// readers are used again because a decoder's own state costs more to make than an order to read.
//
//nolint:gochecknoglobals // a pool shares memory, not state
var readers = sync.Pool{New: func() any { return new(reader) }}

// newReader returns a reader of text. Close it after the last use.
func newReader(text []byte, options ...jsontext.Options) *reader {
	r, ok := readers.Get().(*reader)
	if !ok {
		r = new(reader) // the pool holds nothing else
	}
	r.input = *bytes.NewBuffer(text)
	r.dec.Reset(&r.input, options...)
	r.path, r.faults = r.path[:0], nil
	return r
}

// close gives the reader back. It keeps nothing of the text.
func (r *reader) close() {
	r.input = bytes.Buffer{}
	r.dec.Reset(&r.input)
	clear(r.path[:cap(r.path)])
	readers.Put(r)
}

// whole reads the text with read and returns the fault to answer it with, or nil.
func (r *reader) whole(read func() error) error {
	err := read()
	if err == nil {
		if _, err = r.dec.ReadToken(); err == io.EOF { //nolint:errorlint // the decoder returns it bare
			err = nil
		} else if err == nil {
			err = errTrailing
		}
	}
	switch {
	case err != nil:
		return r.malformed(err)
	case len(r.faults) > 0:
		return fault.OfFields(r.faults)
	}
	return nil
}

var errTrailing = errors.New("there is more behind the JSON object")

// malformed turns an error of the decoder into the fault that says what is wrong, and where.
func (r *reader) malformed(err error) error {
	location, offset := "", r.dec.InputOffset()
	syntax, isSyntax := errors.AsType[*jsontext.SyntacticError](err)
	if isSyntax {
		location, offset = locationOf(syntax.JSONPointer), syntax.ByteOffset
	}
	var message string
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		message = "stands twice in one object; send it once"
	case errors.Is(err, io.ErrUnexpectedEOF):
		message = fmt.Sprintf("ends in the middle, after %d bytes; send the whole JSON", offset)
	case errors.Is(err, io.EOF):
		message = "is empty; send a JSON object"
	case isSyntax && syntax.Err != nil:
		message = fmt.Sprintf("is not valid JSON: %v at byte %d", syntax.Err, offset)
	default:
		message = fmt.Sprintf("is not valid JSON: %v at byte %d", err, offset)
	}
	f := fault.Wrap(err, fault.Malformed, "json_malformed", strings.TrimSpace(location+" "+message))
	if location == "" {
		f.Message = "the body " + message
	}
	f.Fields = []fault.Field{{Location: location, Message: message}}
	return f
}

// maxLocation bounds a location, in bytes: names in it are the caller's.
const maxLocation = 200

// locationOf writes a JSON Pointer as a location: "/items/0/sku" is items[0].sku.
func locationOf(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if b.Len() > maxLocation {
			break
		}
		if i, err := strconv.Atoi(token); err == nil {
			writeStep(&b, step{element: true, index: i})
		} else {
			writeStep(&b, step{name: token})
		}
	}
	return bounded(b.String())
}

func writeStep(b *strings.Builder, s step) {
	switch {
	case s.element:
		fmt.Fprintf(b, "[%d]", s.index)
	case b.Len() > 0:
		b.WriteString("." + s.name)
	default:
		b.WriteString(s.name)
	}
}

func bounded(location string) string {
	if len(location) <= maxLocation {
		return location
	}
	return strings.ToValidUTF8(location[:maxLocation], "") + "…"
}

// fault notes what is wrong with the value at the present place.
func (r *reader) fault(message string) {
	if len(r.faults) >= fault.MaxFields {
		return
	}
	var b strings.Builder
	for _, s := range r.path {
		writeStep(&b, s)
	}
	r.faults = append(r.faults, fault.Field{Location: bounded(b.String()), Message: message})
}

// wrong notes that the value to come is not what it must be, and passes over it.
func (r *reader) wrong(message string) error {
	if err := r.dec.SkipValue(); err != nil {
		return err
	}
	r.fault(message)
	return nil
}

// object reads an object and calls member for each member's value, with the place set to it.
func (r *reader) object(message string, member func(name string) error) error {
	if r.dec.PeekKind() != '{' {
		return r.wrong(message)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	r.path = append(r.path, step{})
	at := len(r.path) - 1
	for r.dec.PeekKind() != '}' {
		raw, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		name, err := memberName(raw)
		if err != nil {
			return err
		}
		r.path[at].name = name
		if err := member(name); err != nil {
			return err
		}
	}
	r.path = r.path[:at]
	_, err := r.dec.ReadToken()
	return err
}

// array reads an array and calls element for each value, with the place set to it.
func (r *reader) array(message string, element func(i int) error) error {
	if r.dec.PeekKind() != '[' {
		return r.wrong(message)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	r.path = append(r.path, step{element: true})
	at := len(r.path) - 1
	for i := 0; r.dec.PeekKind() != ']'; i++ {
		r.path[at].index = i
		if err := element(i); err != nil {
			return err
		}
	}
	r.path = r.path[:at]
	_, err := r.dec.ReadToken()
	return err
}

// text reads a string.
func (r *reader) text(into *string) error {
	if r.dec.PeekKind() != '"' {
		return r.wrong("must be a string")
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	*into, err = unquote(raw)
	return err
}

// optionalText reads a string; null counts as absent.
func (r *reader) optionalText(into *string) error {
	if r.null() {
		return r.dec.SkipValue()
	}
	return r.text(into)
}

// null reports whether the value to come is null.
func (r *reader) null() bool { return r.dec.PeekKind() == 'n' }

// integer reads a whole number, however it is written.
func (r *reader) integer(message string, into *int64) error {
	if r.dec.PeekKind() != '0' {
		return r.wrong(message)
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	n, ok := whole(string(raw))
	if !ok {
		r.fault(message)
	}
	*into = n
	return nil
}

// whole reads a JSON number as a whole one, which 2.0 and 2e3 are as well.
func whole(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	// With so few digits a float tells every number apart.
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || len(text) > maxFloatText || f != math.Trunc(f) || math.Abs(f) > maxWhole {
		return 0, false
	}
	return int64(f), true
}

// Bounds within which a number with a fraction or an exponent is read as whole: a float carries 15
// digits exactly.
const (
	maxFloatText = 15
	maxWhole     = 1e15
)

// unknown notes a member that does not belong here, and passes over it.
func (r *reader) unknown(known string) error {
	return r.wrong("is not a field here; the fields are " + known)
}

// memberName returns the name that a JSON string holds. The names that orders have cost nothing.
func memberName(raw jsontext.Value) (string, error) {
	for _, name := range [...]string{"sku", "quantity", "unit_price", "name", "customer_id", "items"} {
		if len(raw) == len(name)+2 && string(raw[1:len(raw)-1]) == name {
			return name, nil
		}
	}
	return unquote(raw)
}

// unquote returns the text of a JSON string that the decoder has checked.
func unquote(raw jsontext.Value) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 && len(raw) >= 2 && raw[0] == '"' {
		return string(raw[1 : len(raw)-1]), nil
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return string(text), err
}
