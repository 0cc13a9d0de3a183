package importing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// What a CSV record can have wrong with it.
const (
	defectBareQuote  = `a quote (") stands inside a field that does not begin with one: put the field in quotes and double the quote`
	defectAfterQuote = `text follows the closing quote of a field: double a quote that belongs to the text`
	defectUnclosed   = `a quoted field is not closed`
	defectTooLong    = `the line is longer than 1 MiB; only its beginning is kept here`
	defectUTF8       = `the line is not valid UTF-8: save the file as UTF-8`
)

// keptOfTooLong is how much is kept of a line that is too long, in bytes.
const keptOfTooLong = 1_000

// csvReader reads CSV as RFC 4180 has it, strictly: quotes only around whole fields, commas, lines
// that end with LF or CRLF. Blank lines are passed over.
//
// A record that breaks these rules has a defect, and is its first line of text alone, in one field:
// reading goes on with the next line, so that a stray quote spoils no more than it must. For the
// same reason a record over several lines must have as many fields as the header.
type csvReader struct {
	lines *lines
	// width is how many fields a record must have; 0 for any number.
	width int
	// key is the index of the field with the reference; -1 for none.
	key int
	// text holds the fields of a record with quotes: the window may move while it is read.
	text []byte
}

// next reads a record; what r points to is valid until the next call. The error is io.EOF at the end,
// or what reading failed with.
func (c *csvReader) next(r *record) error {
	for {
		end, next, err := c.lines.line(0)
		if errors.Is(err, errTooLong) {
			return c.tooLong(r)
		}
		if err != nil {
			return err
		}
		text := trimCR(c.lines.window()[:end])
		if len(text) == 0 {
			c.lines.advance(next, 1)
			continue
		}
		*r = record{line: c.lines.number, fields: r.fields[:0]}
		if bytes.IndexByte(text, '"') >= 0 {
			return c.nextQuoted(r)
		}
		c.lines.advance(next, 1)
		r.fields = split(r.fields, text)
		c.finish(r, text)
		return nil
	}
}

// nextQuoted reads a record that has quotes in its first line.
func (c *csvReader) nextQuoted(r *record) error {
	size, count, err := c.quoted(r)
	if defect, ok := errors.AsType[defectError](err); ok {
		return c.refuse(r, string(defect))
	}
	if err != nil {
		return err
	}
	if c.width > 0 && len(r.fields) != c.width && count > 1 {
		return c.refuse(r, c.wrongWidth(len(r.fields))+defectMaybeUnclosed)
	}
	text := c.lines.window()[:size]
	c.lines.advance(size, count)
	c.finish(r, text)
	return nil
}

// defectMaybeUnclosed follows the reason for which a record over several lines is refused.
const defectMaybeUnclosed = `; it goes on over several lines, so perhaps a quote is too many`

// defectError is a defect on its way up.
type defectError string

func (d defectError) Error() string { return string(d) }

// place is where in the window the reading of a record is: at, in a line that goes up to end, or to
// next with its newline.
type place struct {
	at, end, next int
	lines         int64
}

// quoted parses the record at the start of the window. It returns how many bytes and lines it has.
func (c *csvReader) quoted(r *record) (size int, count int64, err error) {
	c.text = c.text[:0]
	p := place{lines: 1}
	if p.end, p.next, err = c.lines.line(0); err != nil {
		return 0, 0, err
	}
	for {
		first := len(c.text)
		if w := c.lines.window(); p.at < p.end && w[p.at] == '"' {
			err = c.quotedField(&p)
		} else {
			err = c.bareField(&p)
		}
		if err != nil {
			return 0, 0, err
		}
		// When the text grew into new memory, earlier fields still lie in the old one, unchanged.
		r.fields = append(r.fields, c.text[first:len(c.text):len(c.text)])
		rest := trimCR(c.lines.window()[p.at:p.end])
		if len(rest) == 0 {
			return p.next, p.lines, nil
		}
		if rest[0] != ',' {
			return 0, 0, defectError(defectAfterQuote)
		}
		p.at++
	}
}

// bareField reads up to the next comma or the end of the line.
func (c *csvReader) bareField(p *place) error {
	field, _, _ := bytes.Cut(trimCR(c.lines.window()[p.at:p.end]), []byte{','})
	if bytes.IndexByte(field, '"') >= 0 {
		return defectError(defectBareQuote)
	}
	c.text = append(c.text, field...)
	p.at += len(field)
	return nil
}

// quotedField reads a field in quotes, over as many lines as it has.
func (c *csvReader) quotedField(p *place) (err error) {
	for p.at++; ; {
		line := c.lines.window()[p.at:p.next]
		i := bytes.IndexByte(line, '"')
		switch {
		case i >= 0 && i+1 < len(line) && line[i+1] == '"':
			c.text = append(c.text, line[:i+1]...)
			p.at += i + 2
		case i >= 0:
			c.text = append(c.text, line[:i]...)
			p.at += i + 1
			return nil
		default:
			c.text = append(c.text, line...)
			p.at = p.next
			p.lines++
			p.end, p.next, err = c.lines.line(p.at)
			if errors.Is(err, io.EOF) || errors.Is(err, errTooLong) {
				return defectError(defectUnclosed)
			}
			if err != nil {
				return err
			}
		}
	}
}

// refuse makes r the first line of text at the start of the window, with a defect.
func (c *csvReader) refuse(r *record, defect string) error {
	end, next, err := c.lines.line(0)
	if err != nil {
		return err
	}
	text := trimCR(c.lines.window()[:end])
	c.setKey(r)
	r.defect, r.fields = defect, append(r.fields[:0], text)
	c.lines.advance(next, 1)
	return nil
}

// tooLong makes r the beginning of a line that is too long, and passes over the rest.
func (c *csvReader) tooLong(r *record) error {
	*r = record{line: c.lines.number, fields: r.fields[:0], defect: defectTooLong}
	text := bytes.Clone(c.lines.window()[:keptOfTooLong])
	r.fields = split(r.fields, text)
	r.fields = r.fields[:len(r.fields)-1] // the last one may be cut
	c.setKey(r)
	r.fields = append(r.fields[:0], bytes.ToValidUTF8(text, nil))
	return c.lines.discardLine()
}

// finish checks a record whose quoting is right, and whose text is given.
func (c *csvReader) finish(r *record, text []byte) {
	c.setKey(r)
	switch {
	case !utf8.Valid(text):
		r.defect = defectUTF8
	case c.width > 0 && len(r.fields) != c.width:
		r.defect = c.wrongWidth(len(r.fields))
	}
}

func (c *csvReader) wrongWidth(n int) string {
	return fmt.Sprintf("the line has %d fields, the header has %d", n, c.width)
}

// setKey takes the reference from the fields that were read.
func (c *csvReader) setKey(r *record) {
	if c.key >= 0 && c.key < len(r.fields) {
		r.key = r.fields[c.key]
	}
}

// split appends the fields of a line without quotes.
func split(fields [][]byte, line []byte) [][]byte {
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			return append(fields, line)
		}
		fields = append(fields, line[:i:i])
		line = line[i+1:]
	}
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
