package tracing

import (
	"context"
	"errors"
	"iter"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// Orders are the use cases of orders, each of which is a span, if it is part of recorded work. It is safe for concurrent use.
type Orders struct {
	*ordering.Service

	tracer *Tracer
}

// Orders returns the use cases of s, recorded. There must be a Tracer.
func (t *Tracer) Orders(s *ordering.Service) *Orders { return &Orders{s, t} }

// Place is that of ordering.Service, recorded.
func (o *Orders) Place(ctx context.Context, caller ordering.Caller, p ordering.Place) (ordering.Placed, error) {
	ctx, span := o.tracer.within(ctx, "place order")
	placed, err := o.Service.Place(ctx, caller, p)
	end(span, err)
	return placed, err
}

// PlaceBatch is that of ordering.Service, recorded. Orders that were refused are answers, but the batch has failed if the service has for one.
func (o *Orders) PlaceBatch(ctx context.Context, caller ordering.Caller, batch []ordering.Place) []ordering.Placed {
	ctx, span := o.tracer.within(ctx, "place orders")
	answers := o.Service.PlaceBatch(ctx, caller, batch)
	if span != nil {
		var err error
		for i := range answers {
			if isFailure(answers[i].Err) {
				err = answers[i].Err
			}
		}
		end(span, err)
	}
	return answers
}

// Read is that of ordering.Service, recorded.
func (o *Orders) Read(ctx context.Context, caller ordering.Caller, id order.ID) (*order.Order, error) {
	ctx, span := o.tracer.within(ctx, "read order")
	found, err := o.Service.Read(ctx, caller, id)
	end(span, err)
	return found, err
}

// Timeline is that of ordering.Service, recorded.
func (o *Orders) Timeline(ctx context.Context, caller ordering.Caller, id order.ID) (*order.Order, []order.Event, error) {
	ctx, span := o.tracer.within(ctx, "read timeline")
	found, events, err := o.Service.Timeline(ctx, caller, id)
	end(span, err)
	return found, events, err
}

// List is that of ordering.Service, recorded.
func (o *Orders) List(ctx context.Context, caller ordering.Caller, q ordering.Query) (ordering.Page, error) {
	ctx, span := o.tracer.within(ctx, "list orders")
	page, err := o.Service.List(ctx, caller, q)
	end(span, err)
	return page, err
}

// All is that of ordering.Service, recorded. The span lasts as long as somebody reads.
func (o *Orders) All(ctx context.Context, caller ordering.Caller, q ordering.Query) iter.Seq2[*order.Order, error] {
	return func(yield func(*order.Order, error) bool) {
		ctx, span := o.tracer.within(ctx, "export orders")
		var failed error
		defer func() { end(span, failed) }()
		for each, err := range o.Service.All(ctx, caller, q) {
			failed = errors.Join(failed, err)
			if !yield(each, err) {
				return
			}
		}
	}
}

// Change is that of ordering.Service, recorded.
func (o *Orders) Change(ctx context.Context, caller ordering.Caller, c ordering.Change) (ordering.Revised, error) {
	ctx, span := o.tracer.within(ctx, "change order")
	revised, err := o.Service.Change(ctx, caller, c)
	end(span, err)
	return revised, err
}
