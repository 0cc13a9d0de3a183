package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
)

const asHistory = "as_history"

func (a *api) placeBatch() operation {
	return operation{
		method: http.MethodPost, path: "/orders/batch", query: []string{asHistory},
		scope: access.Write,
		doc: &description{
			id: "placeOrders", tag: tagOrders, summary: "Place many orders at once",
			text: "Takes up to 1,000 orders. Each is accepted or refused on its own, and the results come in the order sent. " +
				"Give each order an `idempotency_key` of its own, and the batch may be sent again without harm.",
			parameters: []parameter{{
				name: asHistory, in: "query", text: "Keeps the orders as told already: no subscriber learns of them. Needs the scope `orders:admin`.",
				schema: boolean(),
			}},
			body:     wire.Batch{},
			examples: batchExamples(),
			replies: []reply{{
				status: http.StatusOK, text: "A result for each order: 201 with the order, or a problem.", body: wire.BatchResults{},
			}},
			errors: []int{400, 413, 415, 422, 503},
		},
		handle: (*exchange).placeBatch,
	}
}

func (x *exchange) placeBatch() error {
	history, err := x.flag(asHistory)
	if err != nil {
		return err
	}
	if history {
		if err := x.allow(access.Admin); err != nil {
			return err
		}
	}
	if _, ok := x.r.Header[headerKey]; ok {
		return invalid("header."+headerKey, "is for a single order; give each order of the batch its own idempotency_key")
	}
	body, err := x.body(x.api.MaxBatchBody)
	if err != nil {
		return err
	}
	out, err := x.placeEach(body, history)
	if err != nil {
		return err
	}
	return x.replyJSON(http.StatusOK, out)
}

// placeEach places the orders of a batch, and returns the answer.
func (x *exchange) placeEach(body []byte, history bool) ([]byte, error) {
	if err := x.beginLong(&x.api.gate.batches); err != nil {
		return nil, err
	}
	defer endLong(&x.api.gate.batches) // before the answer is written
	entries, err := wire.DecodeBatch(body, ordering.MaxBatch)
	if err != nil {
		return nil, within("body", err)
	}
	places := make([]ordering.Place, 0, len(entries))
	for i := range entries {
		if e := &entries[i]; e.Err == nil {
			places = append(places, ordering.Place{Draft: e.Draft, IdempotencyKey: e.IdempotencyKey, AsHistory: history})
		}
	}
	answers := x.api.Orders.PlaceBatch(x.ctx, x.caller, places)
	out := x.begin(`{"results":[`)
	next := 0
	for i := range entries {
		placed := ordering.Placed{Err: entries[i].Err}
		if placed.Err == nil {
			placed = answers[next]
			next++
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = x.appendResult(out, i, &placed)
	}
	return append(out, `]}`...), nil
}

func (x *exchange) appendResult(out []byte, i int, placed *ordering.Placed) []byte {
	if placed.Err != nil {
		err := x.late(placed.Err)
		if f := fault.Of(err); f.Code == "idempotency_key_invalid" {
			err = at("idempotency_key", f)
		}
		if fault.KindOf(err) == fault.Internal && !errors.Is(err, context.Canceled) {
			x.api.Log.ErrorContext(x.ctx, "order of a batch failed", "index", i, "error", err)
		}
		problem, _ := x.problemOf(within(fmt.Sprintf("body.orders[%d]", i), err))
		out = append(out, `{"status":`...)
		out = strconv.AppendInt(out, int64(problem.Status), 10)
		out = append(out, `,"problem":`...)
		out = wire.AppendProblem(out, &problem)
		return append(out, '}')
	}
	out = append(out, `{"status":201,`...)
	if placed.Replayed {
		out = append(out, `"replayed":true,`...)
	}
	out = append(out, `"order":`...)
	out = wire.AppendOrder(out, placed.Order)
	return append(out, '}')
}
