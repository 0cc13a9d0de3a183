package importing

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// form reads records and makes orders of them.
type form interface {
	// next reads a record; what r points to is valid until the next call. The error is io.EOF at the
	// end, or what reading failed with.
	next(r *record) error
	// header names the columns of the rejects.
	header() []string
	// firstColumn is the first column of a record that belongs to them.
	firstColumn() int
	// assembler returns what makes orders of records. Each is for one goroutine.
	assembler() assembler
}

// assembler makes an order of the records of one reference.
type assembler interface {
	// assemble returns the order that the records ask for, and whether they differed in what is
	// merged. It is false when something is at fault, which refuse will tell.
	assemble(entries []entry) (d order.Draft, merged, ok bool)
	// refuse says what is wrong with the records, as far as can be said without a destination.
	refuse(entries []entry) *reasons
}

// counted counts the bytes that are read.
type counted struct {
	in    io.Reader
	bytes int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.bytes += int64(n)
	return n, err //nolint:wrapcheck // a reader's io.EOF is bare
}

// byteOrderMark may stand at the beginning of a text in UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// open finds out what the input is, NDJSON if its first character is { and else CSV, and reads as far as
// its header. Errors are faults, but for those of reading.
func open(in io.Reader, o *Options) (form, error) {
	text, err := plain(in)
	if err != nil {
		return nil, err
	}
	if b, _ := text.Peek(len(byteOrderMark)); string(b) == byteOrderMark {
		_, _ = text.Discard(len(byteOrderMark)) // it was just seen
	}
	// White space before the first character is passed over by both forms.
	beginning, _ := text.Peek(text.Size())
	switch beginning = bytes.TrimLeft(beginning, " \t\r\n"); {
	case bytes.HasPrefix(beginning, []byte("{")):
		return &ndjsonForm{lines: newLines(text), options: o}, nil
	case bytes.HasPrefix(beginning, []byte("[")):
		return nil, unusable("is a JSON array: write one order a line, without the brackets and commas around them")
	}
	return openCSV(text, o)
}

// plain takes the compression off the input, and refuses what is plainly no text.
func plain(in io.Reader) (*bufio.Reader, error) {
	stored := bufio.NewReaderSize(in, readAhead)
	first, err := peek(stored)
	if err != nil || !bytes.HasPrefix(first, []byte{0x1f, 0x8b}) {
		return stored, err
	}
	z, err := gzip.NewReader(stored)
	if err != nil {
		return nil, fault.Wrap(err, fault.Malformed, "input_unusable", "the input begins like gzip but is damaged")
	}
	text := bufio.NewReaderSize(z, readAhead)
	_, err = peek(text)
	return text, err
}

// peek looks at the first bytes.
func peek(text *bufio.Reader) ([]byte, error) {
	first, err := text.Peek(4)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, unreadable(err, 0)
	case len(first) == 0:
		return nil, unusable("is empty")
	case bytes.HasPrefix(first, []byte{0xff, 0xfe}), bytes.HasPrefix(first, []byte{0xfe, 0xff}):
		return nil, unusable("is UTF-16: save it as UTF-8")
	case bytes.HasPrefix(first, []byte("PK\x03\x04")):
		return nil, unusable("is a ZIP archive or a spreadsheet: save the lines as CSV")
	}
	return first, nil
}

func unusable(why string) error {
	return fault.New(fault.Malformed, "input_unusable", "the input "+why)
}

// unreadable says that reading broke off behind so many records; io.EOF passes as it is.
func unreadable(err error, records int64) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case corrupt, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("the input is damaged or ends early, behind record %d, and no order was made of it: %w", records, err)
	}
	return fmt.Errorf("read the input behind record %d: %w", records, err)
}

// quoteNames lists names in a sentence, up to a bound.
func quoteNames(names []string) string {
	const most = 40
	var b strings.Builder
	for i, name := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.60q", name)
	}
	return b.String()
}
