// Package failure has the values of error.type for calls of stores and subscribers, which spans and metrics tell alike. They are
// constants of the program, never an error's text.
package failure

import (
	"context"
	"errors"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
)

// OfStore says why a call of a store failed, "" for a call that did not: an answer such as that there is no such order is no failure.
func OfStore(err error) string {
	if err == nil {
		return ""
	}
	switch f := fault.Of(err); {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case f.Kind == fault.Unavailable:
		return f.Code
	case f.Kind == fault.Internal:
		return "internal"
	}
	return ""
}

// OfCreated is OfStore of orders that were created together: that of the first one that failed.
func OfCreated(created []ordering.Created) string {
	for i := range created {
		if kind := OfStore(created[i].Err); kind != "" {
			return kind
		}
	}
	return ""
}

// OfDelivery says what kind of failure was the first of a call of a subscriber, "" for none.
func OfDelivery(results []delivery.Result) string {
	for i := range results {
		if err := results[i].Err; err != nil {
			return ofSubscriber(err)
		}
	}
	return ""
}

func ofSubscriber(err error) string {
	switch fault.KindOf(err) {
	case fault.Unavailable:
		return "unavailable" // the subscriber is away as a whole
	case fault.Internal:
		return "internal"
	case fault.TooLarge:
		return "too_large"
	case fault.Unauthenticated, fault.Forbidden:
		return "forbidden"
	case fault.Malformed, fault.NotFound, fault.NotAllowed, fault.Stale, fault.Unsupported, fault.Invalid, fault.TooMany:
	}
	return "refused" // by the subscriber, for a reason of the order's own
}
