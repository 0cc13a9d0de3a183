package httpapi

import (
	"net/http"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
)

func (a *api) listOrders() operation {
	return operation{
		method: http.MethodGet, path: "/orders", query: append(filterNames(), queryLimit, queryCursor),
		scope: access.Read,
		doc: &description{
			id: "listOrders", tag: tagOrders, summary: "List orders",
			text: "Returns a page of the orders that match all filters, newest first by `created_at`. Go on with `next_cursor`, or " +
				"with the `Link` header: no order is seen twice or left out, however many are placed meanwhile.",
			parameters: append(filterParameters(), limitParameter(ordering.DefaultLimit, ordering.MaxLimit), cursorParameter()),
			replies: []reply{{
				status: http.StatusOK, text: "A page of orders.", body: wire.OrderPage{}, headers: []header{headerLink()},
			}},
			errors: []int{400, 422, 503},
		},
		handle: (*exchange).listOrders,
	}
}

func (x *exchange) listOrders() error {
	q := x.queryReader()
	query := q.filters()
	query.Limit = q.whole(queryLimit, 1, ordering.MaxLimit, ordering.DefaultLimit)
	if text, ok := q.value(queryCursor); ok {
		cursor, err := ordering.ParseCursor(text)
		if err != nil {
			q.wrong(queryCursor, mustBeCursor)
		}
		query.After = cursor
	}
	if err := q.err(); err != nil {
		return err
	}
	page, err := x.api.Orders.List(x.ctx, x.caller, query)
	if err != nil {
		return err
	}
	out := x.begin(`{"orders":[`)
	for i, o := range page.Orders {
		if i > 0 {
			out = append(out, ',')
		}
		out = wire.AppendOrder(out, o)
	}
	return x.replyPage(out, page.Next.String())
}

const mustBeCursor = "must be the next_cursor of an earlier answer, unchanged"

// replyPage ends a list, to which out was appended so far, and says where it goes on: next is "" at
// the end.
func (x *exchange) replyPage(out []byte, next string) error {
	out = append(out, `],"next_cursor":`...)
	if next == "" {
		return x.replyJSON(http.StatusOK, append(out, `null}`...))
	}
	out = wire.AppendString(out, next)
	values := x.r.URL.Query()
	values.Set(queryCursor, next)
	x.w.Header()["Link"] = []string{"<" + x.op.path + "?" + values.Encode() + `>; rel="next"`}
	return x.replyJSON(http.StatusOK, append(out, '}'))
}
