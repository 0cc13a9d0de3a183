package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"order-processing-service/internal/domain/order"
)

// description is what /openapi.json says of an operation. Every operation that takes a query can be
// answered with 400 and 422 for it, and every one with 500 and 503; errors lists what comes on top.
type description struct {
	id, tag       string
	summary, text string
	parameters    []parameter
	body          any // a value of the type of the request's body; nil for none
	examples      []example
	replies       []reply
	errors        []int
}

// parameter is a parameter in the path, the query or a header.
type parameter struct {
	name, in string
	text     string
	schema   *huma.Schema
	example  string // "" where the schema says enough
}

// reply is an answer to a request that succeeded.
type reply struct {
	status   int
	text     string
	body     any // a value of the type of a JSON body; nil for none
	contents []content
	headers  []header
	links    []link
}

// content is one of several forms of a body.
type content struct {
	mediaType string
	body      any // as in reply, or nil when schema is set
	schema    *huma.Schema
	example   any
}

// link says that an operation can be called with what an answer holds.
type link struct {
	operation  string // the operation's id
	text       string
	parameters map[string]string // to where in the answer their values are
}

// header is a header of an answer.
type header struct {
	name, text string
	example    any
}

// example is a body that a caller could send.
type example struct {
	name, summary string
	value         any
}

// orderLinks lists what can be done with the order in an answer.
func orderLinks() []link {
	id := map[string]string{"order_id": "$response.body#/id"}
	return []link{
		{"readOrder", "Read the order.", id}, {"changeOrder", "Change the order.", id}, {"readTimeline", "Read its events.", id},
	}
}

// The groups of operations.
const (
	tagOrders     = "Orders"
	tagDeliveries = "Deliveries"
	tagHealth     = "Health"
)

const idPattern = "^[0-9a-fA-F]{24}$"

func orderParameter() parameter {
	return parameter{
		name: "order_id", in: "path", text: "The order's id.",
		schema: &huma.Schema{Type: huma.TypeString, Pattern: idPattern}, example: "6743f1a0c2d4e6f801234567",
	}
}

func subscriberParameter() parameter {
	return parameter{
		name: "subscriber", in: "path", text: "The subscriber's name, as GET /deliveries tells it.",
		schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1)}, example: "eventbridge",
	}
}

func keyParameter() parameter {
	return parameter{
		name: headerKey, in: "header",
		text: "A name for this request, up to 255 printable ASCII characters. The same request under the same key is done once.",
		// A header's value neither begins nor ends with a space.
		schema:  &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(255), Pattern: "^[!-~]([ -~]*[!-~])?$"},
		example: "5f0c7e0a-order-A-17",
	}
}

func ifMatchParameter() parameter {
	return parameter{
		name: "If-Match", in: "header", text: "Entity tags of versions of which the order must have one, or * for any.",
		schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1), Pattern: entityTagList}, example: `"1"`,
	}
}

func ifNoneMatchParameter() parameter {
	return parameter{
		name: "If-None-Match", in: "header", text: "Entity tags of versions that the caller has already.",
		schema: &huma.Schema{Type: huma.TypeString}, example: `"1"`,
	}
}

// entityTagList is the form of If-Match.
const entityTagList = `^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$`

func limitParameter(absent, most int) parameter {
	return parameter{
		name: queryLimit, in: "query", text: "How many to return at most.",
		schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(most)), Default: absent},
	}
}

func cursorParameter() parameter {
	return parameter{
		name: queryCursor, in: "query", text: "Where to go on: the next_cursor of an earlier answer, unchanged.",
		schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1), Pattern: "^[A-Za-z0-9_-]+$"},
	}
}

// filterParameters describes what queryReader.filters reads.
func filterParameters() []parameter {
	moment := func(name, text string) parameter {
		return parameter{
			name: name, in: "query", text: text, example: "2026-01-15T09:30:00Z",
			schema: &huma.Schema{Type: huma.TypeString, Format: "date-time"},
		}
	}
	text := func(name, text, example string, most int) parameter {
		return parameter{
			name: name, in: "query", text: text, example: example,
			schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: &most},
		}
	}
	return []parameter{
		{
			name: queryStatus, in: "query", text: "Only orders of this status.",
			schema: enumeration(order.Statuses(), ""),
		},
		{
			name: queryPaymentStatus, in: "query", text: "Only orders of this payment status.",
			schema: enumeration(order.PaymentStatuses(), ""),
		},
		{
			name: queryFulfillmentStatus, in: "query", text: "Only orders of this fulfillment status.",
			schema: enumeration(order.FulfillmentStatuses(), ""),
		},
		text(queryCustomerID, "Only orders of this customer.", "c-1", order.MaxCustomerID),
		text(queryReference, "Only orders with this reference.", "A-17", order.MaxReference),
		moment(queryCreatedAfter, "Only orders taken at this time or later."),
		moment(queryCreatedBefore, "Only orders taken before this time."),
		moment(queryPlacedAfter, "Only orders placed at this time or later."),
		moment(queryPlacedBefore, "Only orders placed before this time."),
	}
}

func headerLocation() header {
	return header{"Location", "Where the order is.", "/orders/6743f1a0c2d4e6f801234567"}
}

func headerETag() header {
	return header{"ETag", "The order's version, for If-Match and If-None-Match.", `"1"`}
}

func headerReplay() header {
	return header{headerReplayed, "true when the same request under the same key had been done before; else absent.", "true"}
}

func headerLink() header {
	return header{"Link", `Where the list goes on, with rel="next"; absent at the end.`, `</orders?cursor=AQAAAZu9k2l4Z0Px>; rel="next"`}
}

func boolean() *huma.Schema {
	return &huma.Schema{Type: huma.TypeBoolean, Default: false}
}

// enumeration returns the schema of a text that is one of values; absent is the default, "" for none.
func enumeration[T ~string](values []T, absent T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	if absent != "" {
		s.Default = string(absent)
	}
	return s
}
