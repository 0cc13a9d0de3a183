package httpapi

import (
	"net/http"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/wire"
)

func (a *api) readOrder() operation {
	return operation{
		method: http.MethodGet, path: "/orders/{order_id}",
		scope: access.Read,
		doc: &description{
			id: "readOrder", tag: tagOrders, summary: "Read an order",
			text:       "Returns the order in full. With `If-None-Match` an order that has not changed is not sent again.",
			parameters: []parameter{orderParameter(), ifNoneMatchParameter()},
			replies: []reply{
				{
					status: http.StatusOK, text: "The order.", body: wire.Order{},
					headers: []header{headerETag()},
				},
				{
					status: http.StatusNotModified, text: "The order is still in the version that If-None-Match names.",
					headers: []header{headerETag()},
				},
			},
			errors: []int{404, 422, 503},
		},
		handle: (*exchange).readOrder,
	}
}

func (x *exchange) readOrder() error {
	id, err := x.orderID()
	if err != nil {
		return err
	}
	o, err := x.api.Orders.Read(x.ctx, x.caller, id)
	if err != nil {
		return err
	}
	h := x.w.Header()
	h["Etag"] = []string{etag(o.Version())}
	h["Cache-Control"] = noCache
	if x.unchanged(o.Version()) {
		return x.notModified()
	}
	return x.replyJSON(http.StatusOK, wire.AppendOrder(x.out[:0], o))
}

func (a *api) timeline() operation {
	return operation{
		method: http.MethodGet, path: "/orders/{order_id}/timeline",
		scope: access.Read,
		doc: &description{
			id: "readTimeline", tag: tagOrders, summary: "Read an order's timeline",
			text:       "Returns all events of the order, oldest first: what happened, when, and who did it.",
			parameters: []parameter{orderParameter()},
			replies:    []reply{{status: http.StatusOK, text: "The events.", body: wire.Timeline{}}},
			errors:     []int{404, 422, 503},
		},
		handle: (*exchange).readTimeline,
	}
}

func (x *exchange) readTimeline() error {
	id, err := x.orderID()
	if err != nil {
		return err
	}
	o, events, err := x.api.Orders.Timeline(x.ctx, x.caller, id)
	if err != nil {
		return err
	}
	s := o.View()
	out := x.begin(`{"events":[`)
	for i := range events {
		if i > 0 {
			out = append(out, ',')
		}
		out = wire.AppendTimelineEntry(out, s.ID, s.CustomerID, &events[i], s.Currency)
	}
	return x.replyJSON(http.StatusOK, append(out, `]}`...))
}
