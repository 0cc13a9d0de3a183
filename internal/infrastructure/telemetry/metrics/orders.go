package metrics

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/metric"

	"order-processing-service/internal/domain/order"
)

// Orders counts what became of orders. It is safe for concurrent use.
type Orders struct {
	placed, moved metric.Int64Counter
	fresh         []metric.AddOption
	history       []metric.AddOption
	statuses      map[order.Status][]metric.AddOption
}

func newOrders(ctx context.Context, m *maker) *Orders {
	with := func(key, value string) []metric.AddOption {
		return []metric.AddOption{metric.WithAttributeSet(one(key, value))}
	}
	o := &Orders{
		placed: m.counter(ordersPlaced), moved: m.counter(ordersMoved),
		fresh: with(attrOrigin, "new"), history: with(attrOrigin, "history"),
		statuses: make(map[order.Status][]metric.AddOption),
	}
	for _, s := range []order.Status{order.StatusPaid, order.StatusShipped, order.StatusDelivered, order.StatusCanceled} {
		o.statuses[s] = with(attrStatus, strings.ToLower(string(s)))
		o.moved.Add(ctx, 0, o.statuses[s]...) // what there is none of yet is seen as 0
	}
	o.placed.Add(ctx, 0, o.fresh...)
	o.placed.Add(ctx, 0, o.history...)
	return o
}

// Orders returns the counter of orders, which implements the port of the use cases; nil when nobody reads.
func (m *Metrics) Orders() *Orders {
	if m == nil {
		return nil
	}
	return m.orders
}

// Placed counts an order that was committed.
func (o *Orders) Placed(asHistory bool) {
	options := o.fresh
	if asHistory {
		options = o.history
	}
	o.placed.Add(context.Background(), 1, options...)
}

// Moved counts an order that came to a status.
func (o *Orders) Moved(to order.Status) {
	if options, ok := o.statuses[to]; ok {
		o.moved.Add(context.Background(), 1, options...)
	}
}
