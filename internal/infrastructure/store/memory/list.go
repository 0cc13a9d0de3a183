package memory

import (
	"cmp"
	"context"
	"slices"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// List implements ordering.Store.
func (s *Store) List(ctx context.Context, q ordering.Query) ([]*order.Order, error) {
	records, release, err := s.enter(ctx, "list orders")
	if err != nil {
		return nil, err
	}
	defer release()
	var found []*order.Order
	for _, r := range records {
		if matches(r.order, &q) {
			found = append(found, r.order)
		}
	}
	slices.SortFunc(found, func(a, b *order.Order) int { return newestFirst(place(a), place(b)) })
	found = slices.Clone(found[:min(len(found), q.Limit)])
	weight := 0
	for i := range found {
		if q.Full(weight) {
			return found[:i], nil
		}
		found[i], weight = copied(found[i]), weight+found[i].View().Weight()
	}
	return found, nil
}

func matches(o *order.Order, q *ordering.Query) bool {
	v := o.View()
	switch {
	case !q.After.IsZero() && newestFirst(q.After, place(o)) >= 0,
		q.Status != "" && o.Status() != q.Status,
		q.PaymentStatus != "" && o.PaymentStatus() != q.PaymentStatus,
		q.FulfillmentStatus != "" && o.FulfillmentStatus() != q.FulfillmentStatus,
		q.CustomerID != "" && v.CustomerID != q.CustomerID,
		q.Reference != "" && v.Reference != q.Reference,
		!q.CreatedAfter.IsZero() && v.CreatedAt.Before(q.CreatedAfter),
		!q.CreatedBefore.IsZero() && !v.CreatedAt.Before(q.CreatedBefore),
		!q.PlacedAfter.IsZero() && v.PlacedAt.Before(q.PlacedAfter),
		!q.PlacedBefore.IsZero() && !v.PlacedAt.Before(q.PlacedBefore):
		return false
	}
	return true
}

func place(o *order.Order) ordering.Cursor {
	return ordering.Cursor{CreatedAt: o.View().CreatedAt, ID: o.ID()}
}

// newestFirst compares two places in the list: the one that comes first is the lesser.
func newestFirst(a, b ordering.Cursor) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), b.ID.Compare(a.ID))
}
