package httpapi

import (
	"net/http"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
)

func (a *api) changeOrder() operation {
	return operation{
		method: http.MethodPatch, path: "/orders/{order_id}",
		scope: access.Write,
		doc: &description{
			id: "changeOrder", tag: tagOrders, summary: "Change an order",
			text: "Moves the order to another status, changes its metadata, or both. The status that the order has already " +
				"changes nothing. A move that is not allowed is answered with 409, which says what is. With `If-Match` the " +
				"order changes only if it is still in the version that the caller knows.",
			parameters: []parameter{orderParameter(), ifMatchParameter(), keyParameter()},
			body:       wire.Patch{},
			examples:   patchExamples(),
			replies: []reply{{
				status: http.StatusOK, text: "The order after the change.", body: wire.Order{},
				headers: []header{headerETag(), headerReplay()}, links: orderLinks(),
			}},
			errors: []int{400, 404, 409, 412, 413, 415, 422, 503},
		},
		handle: (*exchange).changeOrder,
	}
}

func (x *exchange) changeOrder() error {
	id, err := x.orderID()
	if err != nil {
		return err
	}
	key, err := x.idempotencyKey()
	if err != nil {
		return err
	}
	versions, err := x.ifMatch()
	if err != nil {
		return err
	}
	body, err := x.body(x.api.MaxBody)
	if err != nil {
		return err
	}
	status, metadata, err := wire.DecodePatch(body)
	if err != nil {
		return within("body", err)
	}
	revised, err := x.api.Orders.Change(x.ctx, x.caller, ordering.Change{
		ID: id, Status: status, Metadata: metadata, IfVersions: versions, IdempotencyKey: key,
	})
	if err != nil {
		return within("body", err)
	}
	x.describe(revised.Order, revised.Replayed)
	return x.replyJSON(http.StatusOK, wire.AppendOrder(x.out[:0], revised.Order))
}
