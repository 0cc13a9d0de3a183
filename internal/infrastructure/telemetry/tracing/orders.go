package tracing

import (
	"context"
	"errors"
	"iter"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// UseCases are those of ordering.Service.
type UseCases interface {
	Place(ctx context.Context, caller ordering.Caller, p ordering.Place) (ordering.Placed, error)
	PlaceBatch(ctx context.Context, caller ordering.Caller, batch []ordering.Place) []ordering.Placed
	Read(ctx context.Context, caller ordering.Caller, id order.ID) (*order.Order, error)
	Timeline(ctx context.Context, caller ordering.Caller, id order.ID) (*order.Order, []order.Event, error)
	List(ctx context.Context, caller ordering.Caller, q ordering.Query) (ordering.Page, error)
	All(ctx context.Context, caller ordering.Caller, q ordering.Query) iter.Seq2[*order.Order, error]
	Change(ctx context.Context, caller ordering.Caller, c ordering.Change) (ordering.Revised, error)
	Ready(ctx context.Context) error
}

// Orders returns use cases each of which is a span, if it is part of recorded work.
func (t *Tracer) Orders(u UseCases) UseCases {
	if t == nil {
		return u
	}
	return useCases{u, t}
}

type useCases struct {
	UseCases

	tracer *Tracer
}

// Place implements UseCases.
func (u useCases) Place(ctx context.Context, caller ordering.Caller, p ordering.Place) (ordering.Placed, error) {
	ctx, span := u.tracer.within(ctx, "place order")
	placed, err := u.UseCases.Place(ctx, caller, p)
	end(span, err)
	return placed, err
}

// PlaceBatch implements UseCases. Orders that were refused are answers, but the batch has failed if the service has for one.
func (u useCases) PlaceBatch(ctx context.Context, caller ordering.Caller, batch []ordering.Place) []ordering.Placed {
	ctx, span := u.tracer.within(ctx, "place orders")
	answers := u.UseCases.PlaceBatch(ctx, caller, batch)
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

// Read implements UseCases.
func (u useCases) Read(ctx context.Context, caller ordering.Caller, id order.ID) (*order.Order, error) {
	ctx, span := u.tracer.within(ctx, "read order")
	o, err := u.UseCases.Read(ctx, caller, id)
	end(span, err)
	return o, err
}

// Timeline implements UseCases.
func (u useCases) Timeline(ctx context.Context, caller ordering.Caller, id order.ID) (*order.Order, []order.Event, error) {
	ctx, span := u.tracer.within(ctx, "read timeline")
	o, events, err := u.UseCases.Timeline(ctx, caller, id)
	end(span, err)
	return o, events, err
}

// List implements UseCases.
func (u useCases) List(ctx context.Context, caller ordering.Caller, q ordering.Query) (ordering.Page, error) {
	ctx, span := u.tracer.within(ctx, "list orders")
	page, err := u.UseCases.List(ctx, caller, q)
	end(span, err)
	return page, err
}

// All implements UseCases. The span lasts as long as somebody reads.
func (u useCases) All(ctx context.Context, caller ordering.Caller, q ordering.Query) iter.Seq2[*order.Order, error] {
	return func(yield func(*order.Order, error) bool) {
		ctx, span := u.tracer.within(ctx, "export orders")
		var failed error
		defer func() { end(span, failed) }()
		for o, err := range u.UseCases.All(ctx, caller, q) {
			failed = errors.Join(failed, err)
			if !yield(o, err) {
				return
			}
		}
	}
}

// Change implements UseCases.
func (u useCases) Change(ctx context.Context, caller ordering.Caller, c ordering.Change) (ordering.Revised, error) {
	ctx, span := u.tracer.within(ctx, "change order")
	revised, err := u.UseCases.Change(ctx, caller, c)
	end(span, err)
	return revised, err
}
