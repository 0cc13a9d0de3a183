package mongo

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/order"
)

// The queries of the store, for a server to explain.

// ListQuery is the filter and the sort of a list.
func ListQuery(q ordering.Query) (filter, sort bson.D) { return filterOf(&q), newestFirst }

// DueQuery is the filter of a claim, which is not sorted.
func DueQuery(now bson.DateTime) bson.D { return dueBy(now) }

// WaitingQuery and ParkedQuery are the filters and sorts of lists of deliveries.
func WaitingQuery(due bson.DateTime, id order.ID) (filter, sort bson.D) { return waitingAfter(due, id) }

// ParkedQuery: see WaitingQuery.
func ParkedQuery(id order.ID) (filter, sort bson.D) { return parkedAfter(id) }

// BacklogQueries are the filters by which the backlog is counted.
func BacklogQueries() (waiting, parked bson.D) { return everWaiting, everParked }
