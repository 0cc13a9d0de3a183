package fault

import "fmt"

// MaxFields is how many fields an error names at most: it bounds the answer to hostile input.
const MaxFields = 100

// OfFields returns the error of kind Invalid that names the given fields, at least one. Its message
// is that of the first.
func OfFields(fields []Field) *Error {
	e := New(Invalid, "validation_failed", fields[0].Message)
	if at := fields[0].Location; at != "" {
		e.Message = at + " " + e.Message
	}
	if n := len(fields); n > 1 {
		e.Message = fmt.Sprintf("%s (and %d more, see errors)", e.Message, n-1)
	}
	e.Fields = fields
	return e
}
