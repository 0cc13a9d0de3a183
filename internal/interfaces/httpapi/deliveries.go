package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

func (a *api) listDeliveries() operation {
	return operation{
		method: http.MethodGet, path: "/deliveries", query: []string{queryState, queryLimit, queryCursor},
		scope: access.Admin,
		doc: &description{
			id: "listDeliveries", tag: tagDeliveries, summary: "List deliveries that wait or are parked",
			text: "Returns a page of what subscribers have yet to be told: waiting for its next try, or parked after the last " +
				"one, until somebody sends it again or skips it.",
			parameters: []parameter{
				{
					name: queryState, in: "query", text: "What the deliveries wait for.",
					schema: enumeration(deliveryStates(), delivery.StateParked),
				},
				limitParameter(delivery.DefaultLimit, delivery.MaxLimit), cursorParameter(),
			},
			replies: []reply{{
				status: http.StatusOK, text: "A page of deliveries.", body: wire.DeliveryPage{}, headers: []header{headerLink()},
			}},
			errors: []int{400, 422, 503},
		},
		handle: (*exchange).listDeliveries,
	}
}

func deliveryStates() []delivery.State {
	return []delivery.State{delivery.StateWaiting, delivery.StateParked}
}

func (x *exchange) listDeliveries() error {
	q := x.queryReader()
	query := delivery.Query{
		State: oneOf(q, queryState, deliveryStates(), delivery.StateParked),
		Limit: q.whole(queryLimit, 1, delivery.MaxLimit, delivery.DefaultLimit),
	}
	query.After = q.place()
	if err := q.err(); err != nil {
		return err
	}
	page, err := x.api.Deliveries.List(x.ctx, query)
	if err != nil {
		return wrongPlace(err)
	}
	out := x.begin(`{"deliveries":[`)
	for i := range page.Deliveries {
		if i > 0 {
			out = append(out, ',')
		}
		d := &page.Deliveries[i]
		out = wire.AppendDelivery(out, &wire.Delivery{
			OrderID: d.Order.String(), Subscriber: d.Track.Subscriber, State: string(d.State), Sequence: d.Sequence,
			Attempts: d.Track.Attempts, NextAttemptAt: d.Track.DueAt, LastError: d.Track.LastError,
		})
	}
	return x.replyPage(out, page.Next)
}

// place returns where to go on among deliveries; "" when it was not given.
func (q *queryReader) place() string {
	cursor, ok := q.value(queryCursor)
	if ok && cursor == "" {
		q.wrong(queryCursor, mustBeCursor)
	}
	return cursor
}

// wrongPlace says of a place that no answer named where it stands in the request.
func wrongPlace(err error) error {
	if fault.Of(err).Code == "cursor_invalid" {
		return invalid("query."+queryCursor, mustBeCursor)
	}
	return err
}

func (a *api) redriveParked() operation {
	return operation{
		method: http.MethodPost, path: "/deliveries/redrive", query: []string{querySubscriber, queryCursor},
		scope: access.Admin,
		doc: &description{
			id: "redriveParked", tag: tagDeliveries, summary: "Send parked deliveries again",
			text: "Has parked deliveries, of one subscriber or of all, tried again at once, with all their tries ahead of them. A call " +
				"looks at 1,000 parked deliveries; while `next_cursor` is not null there may be more, and the same request with that " +
				"`cursor` goes on. A call that failed can be made again.",
			parameters: []parameter{
				{
					name: querySubscriber, in: "query", text: "Only deliveries to this subscriber, as GET /deliveries tells it.",
					schema:  &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(maxSubscriber)},
					example: "eventbridge",
				},
				cursorParameter(),
			},
			replies: []reply{{status: http.StatusAccepted, text: "They will be tried at once.", body: wire.Redriven{}}},
			errors:  []int{400, 422, 503},
		},
		handle: (*exchange).redriveParked,
	}
}

// maxSubscriber is the longest name of a subscriber that can be asked for, in characters.
const maxSubscriber = 128

func (x *exchange) redriveParked() error {
	q := x.queryReader()
	subscriber, after := q.text(querySubscriber, maxSubscriber), q.place()
	if err := q.err(); err != nil {
		return err
	}
	redriven, err := x.api.Deliveries.RedriveParked(x.ctx, subscriber, after)
	if err != nil {
		return wrongPlace(err)
	}
	form := wire.Redriven{Redriven: redriven.Count}
	if redriven.Next != "" {
		form.NextCursor = &redriven.Next
	}
	return x.replyJSON(http.StatusAccepted, wire.AppendRedriven(x.out[:0], &form))
}

func (a *api) redriveDelivery() operation {
	return a.deliveryAction("redrive", "redriveDelivery", "Send a delivery again",
		"Has a delivery that waits or is parked tried again at once, with all its tries ahead of it.", Deliveries.Redrive)
}

func (a *api) skipDelivery() operation {
	return a.deliveryAction("skip", "skipDelivery", "Skip an event of a delivery",
		"Passes over the event that the subscriber is to be told next. It is never told; what comes after it is delivered at once.",
		Deliveries.Skip)
}

func (a *api) deliveryAction(
	name, id, summary, text string, act func(Deliveries, context.Context, order.ID, string) error,
) operation {
	return operation{
		method: http.MethodPost, path: "/deliveries/{order_id}/{subscriber}/" + name,
		scope: access.Admin,
		doc: &description{
			id: id, tag: tagDeliveries, summary: summary, text: text,
			parameters: []parameter{orderParameter(), subscriberParameter()},
			replies:    []reply{{status: http.StatusAccepted, text: "It will be done at once.", body: wire.DeliveryAction{}}},
			errors:     []int{404, 409, 422, 503},
		},
		handle: func(x *exchange) error {
			id, err := x.orderID()
			if err != nil {
				return err
			}
			subscriber := x.path[1]
			if err := act(x.api.Deliveries, x.ctx, id, subscriber); err != nil {
				return err
			}
			return x.replyJSON(http.StatusAccepted, wire.AppendDeliveryAction(x.out[:0], &wire.DeliveryAction{
				OrderID: id.String(), Subscriber: subscriber, Action: name,
			}))
		},
	}
}
