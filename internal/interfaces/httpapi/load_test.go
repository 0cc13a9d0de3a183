package httpapi_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// answers reads the answers on a connection and looks at no more than how long they are: the load
// must cost less than what it measures.
type answers struct{ r *bufio.Reader }

func newAnswers(r io.Reader) answers { return answers{bufio.NewReaderSize(r, 16<<10)} }

// skip passes over one answer, which must be a success with a Content-Length.
func (a answers) skip() error {
	length, first := -1, true
	for {
		line, err := a.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		switch value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); {
		case first:
			if len(line) < 10 || line[9] != '2' {
				return fmt.Errorf("answered with %s", line)
			}
			first = false
		case ok:
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		case len(bytes.TrimSpace(line)) == 0:
			if length < 0 {
				return errors.New("answered without a length")
			}
			_, err := a.r.Discard(length)
			return err
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
