package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// orderID returns the order that the path names first. The error is order.ErrNotFound.
func (x *exchange) orderID() (order.ID, error) { return order.ParseID(x.path[0]) }

// body reads the request's JSON body of at most limit bytes. It is valid until the exchange ends.
// Errors are faults: Unsupported, TooLarge, Malformed when it can't be read whole, Unavailable when
// too many bytes of bodies are held already.
func (x *exchange) body(limit int64) ([]byte, error) {
	if err := checkContent(x.r.Header); err != nil {
		return nil, err
	}
	if x.r.ContentLength > limit {
		x.w.Header()["Connection"] = closing // rather than read what nobody wants
		return nil, tooLarge(limit)
	}
	if err := x.admit(x.r.ContentLength); err != nil {
		return nil, err
	}
	return x.readWhole(limit)
}

// read reads the body from the connection.
func (x *exchange) read(limit int64) ([]byte, error) {
	from := http.MaxBytesReader(x.w, x.r.Body, limit)
	buffer := slices.Grow(x.in[:0], int(min(max(x.r.ContentLength, 0), maxKept))+1)
	for {
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if err == io.EOF {
			x.in = buffer
			return buffer, nil
		}
		if err != nil {
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				return nil, tooLarge(limit)
			}
			return nil, at("body", fault.Wrap(err, fault.Malformed, "body_incomplete", "did not arrive whole or in time; send it again"))
		}
		if err := x.admit(int64(len(buffer))); err != nil { // never, when it was declared
			return nil, err
		}
		if len(buffer) == cap(buffer) {
			buffer = slices.Grow(buffer, 1)
		}
	}
}

func tooLarge(limit int64) error {
	return at("body", fault.New(fault.TooLarge, "body_too_large",
		fmt.Sprintf("must have at most %d bytes; send several smaller requests", limit)))
}

// checkContent refuses bodies that are said to be something else than JSON in UTF-8. A body of which
// nothing is said is taken for JSON.
func checkContent(h http.Header) error {
	if encoding := h["Content-Encoding"]; len(encoding) > 0 && !strings.EqualFold(encoding[0], "identity") {
		return at("header.Content-Encoding", fault.New(fault.Unsupported, "content_encoding_unsupported",
			"must be absent: send the JSON as it is, not compressed"))
	}
	sent := h["Content-Type"]
	if len(sent) == 0 || len(sent) == 1 && sent[0] == "application/json" {
		return nil
	}
	mediaType, parameters, err := mime.ParseMediaType(sent[0])
	charset, hasCharset := parameters["charset"]
	if len(sent) > 1 || err != nil || mediaType != "application/json" || hasCharset && !strings.EqualFold(charset, "utf-8") {
		return at("header.Content-Type", fault.New(fault.Unsupported, "content_type_unsupported",
			"must be application/json, in UTF-8 (curl needs -H 'Content-Type: application/json')"))
	}
	return nil
}

// idempotencyKey returns the request's key, "" for none.
func (x *exchange) idempotencyKey() (string, error) {
	sent, ok := x.r.Header[headerKey]
	if !ok {
		return "", nil
	}
	if len(sent) > 1 {
		return "", invalid("header."+headerKey, "must be sent once")
	}
	if err := ordering.CheckIdempotencyKey(sent[0]); err != nil {
		return "", invalid("header."+headerKey, "must have 1 to 255 printable ASCII characters")
	}
	return sent[0], nil
}

// checkQuery refuses a query that can't be read, and parameters that the operation does not take or
// that come twice.
func (x *exchange) checkQuery() error {
	if x.r.URL.RawQuery == "" || x.op.lenient {
		return nil
	}
	values, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return at("query", fault.Wrap(err, fault.Malformed, "query_malformed",
			"can't be read; write name=value parted by &, and other signs as %XX"))
	}
	var fields []fault.Field
	for name, sent := range values {
		var message string
		switch {
		case !slices.Contains(x.op.query, name):
			message = "is not a parameter here; there are none"
			if len(x.op.query) > 0 {
				message = "is not a parameter here; the parameters are " + strings.Join(x.op.query, ", ")
			}
		case len(sent) > 1:
			message = "must be given once"
		default:
			continue
		}
		if len(fields) < fault.MaxFields {
			fields = append(fields, fault.Field{Location: "query." + shortened(name), Message: message})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	slices.SortFunc(fields, func(a, b fault.Field) int { return strings.Compare(a.Location, b.Location) })
	return fault.OfFields(fields)
}

// shortened bounds a name that the caller made up.
func shortened(name string) string {
	const most = 100
	if len(name) > most {
		return strings.ToValidUTF8(name[:most], "") + "…"
	}
	return name
}
