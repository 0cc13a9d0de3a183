package importing

import (
	"bytes"
	"errors"
	"io"
)

const (
	// maxRecord is how long one record may be, in bytes: longer ones are refused, so that no file
	// makes the reader hold more than that.
	maxRecord = 1 << 20
	// readAhead is how much is read at once.
	readAhead = 64 << 10
	// maxEmptyReads is how often in a row a reader may give nothing and no error.
	maxEmptyReads = 100
)

// errTooLong says that a line, or a quoted field over several lines, is longer than maxRecord.
var errTooLong = errors.New("longer than 1 MiB")

// lines is a window on a text, a line at a time. It holds at most maxRecord bytes and what is read
// ahead.
type lines struct {
	in         io.Reader
	buf        []byte
	start, end int   // the window within buf
	number     int64 // of the line at the start of the window, from 1
	err        error // what ended the input, once it has
}

func newLines(in io.Reader) *lines {
	return &lines{in: in, buf: make([]byte, 2*readAhead), number: 1}
}

// window returns what was read and not passed over yet. It is valid until the next call of line.
func (l *lines) window() []byte { return l.buf[l.start:l.end] }

// line returns where in the window the line ends that has the offset from, without and with its
// newline. The error is io.EOF when the text ends before from, errTooLong when the window is full
// before the line ends, or what reading failed with.
func (l *lines) line(from int) (end, next int, err error) {
	scanned := from
	for {
		window := l.window()
		if scanned < len(window) {
			if i := bytes.IndexByte(window[scanned:], '\n'); i >= 0 {
				return scanned + i, scanned + i + 1, nil
			}
		}
		switch {
		case len(window) >= maxRecord:
			return 0, 0, errTooLong
		case l.err == nil:
			scanned = max(from, len(window))
			l.fill()
		case !errors.Is(l.err, io.EOF):
			return 0, 0, l.err
		case from < len(window):
			return len(window), len(window), nil
		default:
			return 0, 0, io.EOF
		}
	}
}

// fill reads more behind the window, or notes what ended the input.
func (l *lines) fill() {
	if len(l.buf)-l.end < readAhead {
		buf := l.buf
		if len(l.window()) > len(buf)-readAhead {
			buf = make([]byte, 2*len(buf))
		}
		l.end = copy(buf, l.window())
		l.start, l.buf = 0, buf
	}
	for range maxEmptyReads {
		n, err := l.in.Read(l.buf[l.end:min(l.end+readAhead, len(l.buf))])
		l.end += n
		if err != nil {
			l.err = err
			return
		}
		if n > 0 {
			return
		}
	}
	l.err = io.ErrNoProgress
}

// advance passes over n bytes, which hold the given number of whole lines.
func (l *lines) advance(n int, whole int64) {
	l.start += n
	l.number += whole
}

// discardLine passes over the rest of the line, however long it is.
func (l *lines) discardLine() error {
	for {
		_, next, err := l.line(0)
		switch {
		case errors.Is(err, errTooLong):
			l.start = l.end
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		default:
			l.advance(next, 1)
			return nil
		}
	}
}
