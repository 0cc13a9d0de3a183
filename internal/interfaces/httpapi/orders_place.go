package httpapi

import (
	"net/http"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
)

func (a *api) placeOrder() operation {
	return operation{
		method: http.MethodPost, path: "/orders",
		scope: access.Write,
		doc: &description{
			id: "placeOrder", tag: tagOrders, summary: "Place an order",
			text: "Takes an order. The answer comes when the order is on disk. With an `Idempotency-Key` the request may be " +
				"sent again without harm: the repeat is answered with the order as it is then.",
			parameters: []parameter{keyParameter()},
			body:       wire.NewOrder{},
			examples:   newOrderExamples(),
			replies: []reply{{
				status: http.StatusCreated, body: wire.Order{},
				text:    "The order was taken, or had been taken from the same request before.",
				headers: []header{headerLocation(), headerETag(), headerReplay()}, links: orderLinks(),
			}},
			errors: []int{400, 413, 415, 422, 503},
		},
		handle: (*exchange).placeOrder,
	}
}

func (x *exchange) placeOrder() error {
	key, err := x.idempotencyKey()
	if err != nil {
		return err
	}
	body, err := x.body(x.api.MaxBody)
	if err != nil {
		return err
	}
	draft, err := wire.DecodeNewOrder(body)
	if err != nil {
		return within("body", err)
	}
	placed, err := x.api.Orders.Place(x.ctx, x.caller, ordering.Place{Draft: draft, IdempotencyKey: key})
	if err != nil {
		return within("body", err)
	}
	x.w.Header()["Location"] = []string{"/orders/" + placed.Order.ID().String()}
	x.describe(placed.Order, placed.Replayed)
	return x.replyJSON(http.StatusCreated, wire.AppendOrder(x.out[:0], placed.Order))
}

// describe sets the headers that every answer with one order has after a change.
func (x *exchange) describe(o *order.Order, replayed bool) {
	h := x.w.Header()
	h["Etag"] = []string{etag(o.Version())}
	if replayed {
		h[headerReplayed] = isTrue
	}
}
