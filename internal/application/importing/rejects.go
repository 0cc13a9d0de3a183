package importing

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// rejects writes refused records as CSV: the line of the input, the reference, every reason, and then
// the record's own columns. A record that could not be taken apart is in the first of these, as it
// was found. A nil writer takes and keeps nothing.
type rejects struct{ w *bufio.Writer }

func newRejects(w io.Writer) *rejects {
	if w == nil {
		return &rejects{}
	}
	return &rejects{bufio.NewWriter(w)}
}

func (r *rejects) wanted() bool { return r.w != nil }

func (r *rejects) header(columns []string) error {
	var rows rejectRows
	rows.write(append(append([]string{}, rejectsColumns...), columns...))
	return r.write(&rows)
}

// write writes rows that were made ready.
func (r *rejects) write(rows *rejectRows) error {
	if r.w == nil {
		return nil
	}
	_, err := r.w.Write(rows.buf.Bytes())
	return rejectsError(err)
}

func (r *rejects) flush() error {
	if r.w == nil {
		return nil
	}
	return rejectsError(r.w.Flush())
}

func rejectsError(err error) error {
	if err != nil {
		return fmt.Errorf("write the rejects: %w", err)
	}
	return nil
}

// rejectRows makes rows ready, so that several goroutines can work on different ones.
type rejectRows struct {
	buf bytes.Buffer
	csv *csv.Writer
	row []string
}

// record adds a record, whose columns begin with the first one.
func (r *rejectRows) record(e *entry, why []string, first int) {
	r.row = append(r.row[:0], strconv.FormatInt(e.line, 10), e.key, strings.Join(why, "; "))
	fields := e.fields
	if len(fields) > first { // else the record could not be taken apart
		fields = fields[first:]
	}
	r.write(append(r.row, fields...))
}

// write adds a row. Writing to memory can't fail.
func (r *rejectRows) write(row []string) {
	if r.csv == nil {
		r.csv = csv.NewWriter(&r.buf)
	}
	_ = r.csv.Write(row)
	r.csv.Flush()
}
