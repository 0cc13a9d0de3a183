// Package wire has the JSON forms in which orders, events and problems leave the service, and those
// in which orders come in. REST, manifests, the event bus and webhooks share them, so that an order
// looks the same wherever it is seen.
//
// What is written often is written by hand, by the Append functions: they take no detour over
// reflection, and the order of fields is theirs. What comes in is read token by token, so that every
// error can name its place. The struct types say the same once more, for the schemas that are
// generated from them and for programs in Go that read the service's answers; tests hold the two
// against each other. Their tags are those of the schema generator: doc, example and the limits.
package wire

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/domain/order"
)

// TimeLayout is how times are written: RFC 3339 in UTC with milliseconds, always of one width.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// AppendTime appends t, in quotes and as TimeLayout writes it. Years must have four digits.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(dst, '"')
	dst = appendTwo(dst, year/100)
	dst = appendTwo(dst, year%100)
	dst = append(dst, '-')
	dst = appendTwo(dst, int(month))
	dst = append(dst, '-')
	dst = appendTwo(dst, day)
	dst = append(dst, 'T')
	dst = appendTwo(dst, hour)
	dst = append(dst, ':')
	dst = appendTwo(dst, minute)
	dst = append(dst, ':')
	dst = appendTwo(dst, second)
	milli := t.Nanosecond() / int(time.Millisecond)
	dst = append(dst, '.', byte('0'+milli/100%10))
	dst = appendTwo(dst, milli%100)
	return append(dst, 'Z', '"')
}

func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10%10), byte('0'+n%10))
}

// AppendString appends s as a JSON string. Bytes that are no UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			dst, _ = jsontext.AppendQuote(dst, s) // the error tells of bytes that were replaced
			return dst
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// appendOptional appends s as a JSON string, or null for "".
func appendOptional(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return AppendString(dst, s)
}

// appendPlain appends a text of this program's own that needs no escaping.
func appendPlain[T ~string](dst []byte, s T) []byte {
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendID(dst []byte, id order.ID) []byte {
	dst = append(dst, '"')
	dst = hex.AppendEncode(dst, id[:])
	return append(dst, '"')
}

func appendNumber[T ~int | ~int64](dst []byte, n T) []byte {
	return strconv.AppendInt(dst, int64(n), 10)
}
