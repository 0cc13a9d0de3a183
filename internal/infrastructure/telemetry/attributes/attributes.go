// Package attributes has the keys of what spans and metrics tell that are this service's own. A thing has one key, in whichever of
// the two it is told. OpenTelemetry's conventions go first: what they have a key for has that one, and is not here.
package attributes

// The keys. Those that OpenTelemetry may add can't be among them, as all begin with "orders.".
const (
	Subscriber      = "orders.subscriber"
	Status          = "orders.status"
	Origin          = "orders.origin"
	Outcome         = "orders.outcome"
	AdmissionReason = "orders.admission.reason"
	Events          = "orders.events"
)

// Attribute is one row of the table of keys.
type Attribute struct {
	Key string
	// Description says what its values are; for the table in docs/operations.md.
	Description string
}

// Own returns the table of all keys.
func Own() []Attribute {
	return []Attribute{
		{Subscriber, "Who is told of orders: `events`, `manifests`."},
		{Status, "The status that an order came to: `paid`, `shipped`, `delivered`, `canceled`."},
		{Origin, "How an order came: `new`, or `history`, of which no subscriber is told."},
		{Outcome, "What became of a command: `applied`, `repeated`, `early`, `failed`, `dead_lettered`; " +
			"or of an order of an import: `placed`, `repeated`, `refused`."},
		{AdmissionReason, "Why a request was turned away: `queue_full`, `queue_timeout`, `body_bytes`, `rate_limit`."},
		{Events, "How many events a subscriber is told at once, where that is no messaging."},
	}
}
