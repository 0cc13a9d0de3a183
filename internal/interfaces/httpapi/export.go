package httpapi

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// exportFormat is a form in which orders can be exported.
type exportFormat struct {
	name, contentType, mediaType string

	head, separator, tail string
	row                   func(dst []byte, o *order.Order) []byte
}

// exportFormats lists the formats; the first is what a caller gets who does not mind.
func exportFormats() []exportFormat {
	return []exportFormat{
		{
			name: "ndjson", contentType: "application/x-ndjson", mediaType: "application/x-ndjson",
			separator: "\n", tail: "\n", row: wire.AppendOrder,
		},
		{
			name: "csv", contentType: "text/csv; charset=utf-8; header=present", mediaType: "text/csv",
			head: csvHead, row: appendCSV,
		},
		{
			name: "json", contentType: "application/json", mediaType: "application/json",
			head: `{"orders":[`, separator: ",", tail: `]}`, row: wire.AppendOrder,
		},
	}
}

func formatNames() []string {
	var names []string
	for _, f := range exportFormats() {
		names = append(names, f.name)
	}
	return names
}

func (a *api) exportOrders() operation {
	replies := make([]content, 0, len(exportFormats()))
	for _, f := range exportFormats() {
		replies = append(replies, exportContent(f))
	}
	return operation{
		method: http.MethodGet, path: "/orders/export", query: append(filterNames(), queryFormat), endless: true,
		scope: access.Admin,
		doc: &description{
			id: "exportOrders", tag: tagOrders, summary: "Export orders",
			text: "Streams every order that matches all filters, newest first. The form is what `format` says, else what `Accept` " +
				"asks for, else NDJSON: an order a line. CSV has a row for each order line; a text that a spreadsheet would run has an " +
				"apostrophe in front, which `orders import` takes off again. An export that can't be finished is cut off: the " +
				"connection ends without the end of the answer.",
			parameters: append(filterParameters(), parameter{
				name: queryFormat, in: "query", text: "The form of the export.",
				schema: enumeration(formatNames(), ""),
			}),
			replies: []reply{{
				status: http.StatusOK, text: "The orders.", contents: replies,
				headers: []header{{"Content-Disposition", "Suggests a file name.", `attachment; filename="orders.ndjson"`}},
			}},
			errors: []int{400, 406, 422, 503},
		},
		handle: (*exchange).exportOrders,
	}
}

// exportChunk is how much of an export is gathered before it is sent, in bytes.
const exportChunk = 64 << 10

func (x *exchange) exportOrders() error {
	q := x.queryReader()
	query := q.filters()
	name := oneOf(q, queryFormat, formatNames(), "")
	if err := q.err(); err != nil {
		return err
	}
	format, err := x.exportFormat(name)
	if err != nil {
		return err
	}
	h := x.w.Header()
	h["Content-Type"] = []string{format.contentType}
	h["Content-Disposition"] = []string{`attachment; filename="orders.` + format.name + `"`}
	x.vary("Accept")
	if x.r.Method == http.MethodHead {
		x.start(http.StatusOK)
		return nil
	}
	if err := x.beginLong(&x.api.gate.exports); err != nil {
		return err
	}
	defer endLong(&x.api.gate.exports)
	control := http.NewResponseController(x.w)
	out := x.begin(format.head)
	some := false
	for o, err := range x.api.Orders.All(x.ctx, x.caller, query) {
		if err != nil {
			return fmt.Errorf("export orders: %w", err)
		}
		if some {
			out = append(out, format.separator...)
		}
		some = true
		out = format.row(out, o)
		if len(out) < exportChunk {
			continue
		}
		if err := x.send(control, out); err != nil {
			return err
		}
		out = out[:0]
	}
	if some || format.name != "ndjson" {
		out = append(out, format.tail...)
	}
	if x.status == 0 {
		x.out = out
		x.reply(http.StatusOK, []string{format.contentType}, out)
		return nil
	}
	x.out = out
	return x.send(control, out)
}

// send sends a part of a long answer, for which the client may take so long, however long the whole
// takes.
func (x *exchange) send(control *http.ResponseController, part []byte) error {
	// A writer without deadlines has none to extend.
	_ = control.SetWriteDeadline(time.Now().Add(x.api.ExportStall))
	if x.status == 0 {
		x.startLong(http.StatusOK)
	}
	n, err := x.w.Write(part)
	x.written += int64(n)
	if err == nil {
		err = control.Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	return nil
}

// exportFormat returns the format of the given name or, when that is "", the one that Accept likes
// best.
func (x *exchange) exportFormat(name string) (exportFormat, error) {
	formats := exportFormats()
	for _, f := range formats {
		if f.name == name {
			return f, nil
		}
	}
	accept := strings.Join(x.r.Header["Accept"], ",")
	if accept == "" {
		return formats[0], nil
	}
	best, liked := exportFormat{}, 0.0
	for _, f := range formats {
		if q := quality(accept, f.mediaType); q > liked {
			best, liked = f, q
		}
	}
	if liked == 0 {
		return best, refusal{http.StatusNotAcceptable, at("header.Accept", fault.New(fault.Unsupported, "not_acceptable",
			"must allow application/x-ndjson, text/csv or application/json; or say format="+strings.Join(formatNames(), "|")))}
	}
	return best, nil
}

// quality returns how much an Accept header likes a media type, 0 to 1: the most particular range
// that matches decides (RFC 9110, section 12.5.1).
func quality(accept, mediaType string) float64 {
	family, _, _ := strings.Cut(mediaType, "/")
	liked, particular := 0.0, 0
	for item := range strings.SplitSeq(accept, ",") {
		name, parameters, err := mime.ParseMediaType(strings.TrimSpace(item))
		if err != nil {
			continue
		}
		precision := 0
		switch name {
		case mediaType:
			precision = 3
		case family + "/*":
			precision = 2
		case "*/*":
			precision = 1
		}
		if precision <= particular {
			continue
		}
		q, err := strconv.ParseFloat(parameters["q"], 64)
		if err != nil {
			q = 1
		}
		liked, particular = q, precision
	}
	return liked
}
