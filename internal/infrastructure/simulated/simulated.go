// Package simulated stands in for AWS where none is configured: the event bus and the bucket of
// manifests. No credentials and no network are needed. Each call that would have gone to AWS is one
// line in the log, "Simulated AWS call", with what it would have carried; manifests are kept as
// files besides.
package simulated

import (
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

var (
	_ delivery.Subscriber = (*Events)(nil)
	_ delivery.Subscriber = (*Manifests)(nil)
)

// logMessage is the message of every line.
const logMessage = "Simulated AWS call"

// EncodeEvent appends an event's data as JSON to dst. Currency is the order's.
type EncodeEvent func(dst []byte, id order.ID, customerID string, e *order.Event, currency money.Currency) []byte

// EncodeOrder appends an order as one JSON object, with its version as the member "version", to dst.
type EncodeOrder func(dst []byte, o *order.Order) []byte
