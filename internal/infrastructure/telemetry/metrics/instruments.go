package metrics

import (
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"order-processing-service/internal/infrastructure/telemetry/attributes"
)

// Kind is what an instrument is.
type Kind string

// The kinds of instruments.
const (
	Counter   Kind = "counter"   // only grows
	UpDown    Kind = "up/down"   // a number of things that come and go, which can be added up over processes
	Gauge     Kind = "gauge"     // what is so right now
	Histogram Kind = "histogram" // how often what came out
)

// Instrument is one row of the table of everything that is measured.
type Instrument struct {
	// Name is OpenTelemetry's; Prometheus has dots as underscores, with the unit and _total behind.
	Name string
	Kind Kind
	// Unit is a unit of UCUM: s, By, or what is counted in braces; "" for none.
	Unit string
	// Description is one sentence for the help of /metrics and the table in docs/operations.md.
	Description string
	// Attributes are the keys that a point of it may have. No value comes from a caller's input.
	Attributes []string

	// Dimensions are the sets of attributes by which CloudWatch adds it up, besides service.name; nil for what is not written there.
	// An empty set adds all up. Each set of which a point has all attributes makes one metric of CloudWatch more.
	Dimensions [][]string

	buckets []float64 // upper bounds, of a histogram
}

// The names of the instruments.
const (
	httpDuration     = "http.server.request.duration"
	httpActive       = "http.server.active_requests"
	admissionWaiting = "orders.admission.waiting"
	admissionRefused = "orders.admission.refused"
	admissionHeld    = "orders.admission.held"
	httpConnections  = "orders.http.connections"
	httpResting      = "orders.http.resting_connections"
	ordersPlaced     = "orders.placed"
	ordersMoved      = "orders.moved"
	storeDuration    = "db.client.operation.duration"
	storeDepth       = "orders.store.queue.depth"
	storeBatch       = "orders.store.batch.size"
	storeCommit      = "orders.store.commit.duration"
	deliveryTold     = "orders.delivery.told"
	deliveryRetries  = "orders.delivery.retries"
	deliveryParks    = "orders.delivery.parks"
	deliveryInHand   = "orders.delivery.in_hand"
	deliverySize     = "orders.delivery.in_hand_size"
	deliveryAway     = "orders.delivery.subscriber.away"
	deliveryDuration = "orders.delivery.duration"
	deliveryWaiting  = "orders.delivery.waiting"
	deliveryParked   = "orders.delivery.parked"
	deliveryOldest   = "orders.delivery.oldest.age"
	commandsReceived = "orders.commands"
	importRecords    = "orders.import.records"
	serviceReady     = "orders.ready"
	buildInfo        = "orders.build.info"
)

// The keys of attributes: OpenTelemetry's where its conventions have one, else those of package attributes.
const (
	attrMethod     = string(semconv.HTTPRequestMethodKey)
	attrScheme     = string(semconv.URLSchemeKey)
	attrRoute      = string(semconv.HTTPRouteKey)
	attrStatusCode = string(semconv.HTTPResponseStatusCodeKey)
	attrConnection = string(semconv.HTTPConnectionStateKey)
	attrError      = string(semconv.ErrorTypeKey)
	attrSystem     = string(semconv.DBSystemNameKey)
	attrOperation  = string(semconv.DBOperationNameKey)
	attrVersion    = string(semconv.ServiceVersionKey)
	attrRevision   = string(semconv.VCSRefHeadRevisionKey)
	attrGoVersion  = string(semconv.ProcessRuntimeVersionKey)
	attrReason     = attributes.AdmissionReason
	attrOrigin     = attributes.Origin
	attrStatus     = attributes.Status
	attrSubscriber = attributes.Subscriber
	attrOutcome    = attributes.Outcome
)

// Instruments returns the table of everything that is measured, but for the runtime of Go and the process. The instruments are
// made from it, and so is the table in docs/operations.md.
func Instruments() []Instrument {
	return slices.Concat(httpInstruments(), orderInstruments(), deliveryInstruments())
}

// Dimensions are the sets of attributes by which CloudWatch adds up each instrument that is written there, by its name.
func Dimensions() map[string][][]string {
	all := make(map[string][][]string)
	for _, i := range Instruments() {
		if i.Dimensions != nil {
			all[i.Name] = i.Dimensions
		}
	}
	return all
}

// IsProbe tells whether a point comes of a health check, which says nothing of what the service does and would cost as much.
func IsProbe(point attribute.Set) bool {
	route, _ := point.Value(semconv.HTTPRouteKey)
	operation, _ := point.Value(semconv.DBOperationNameKey)
	return strings.HasPrefix(route.AsString(), "/health") || operation.AsString() == operationPing
}

// durations are bounds from half a millisecond, which a read takes, to the longest that a request may take by default.
func durations() []float64 {
	return []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
}

// total adds all points of an instrument up.
func total() []string { return []string{} }

// httpInstruments measure how requests went.
func httpInstruments() []Instrument {
	return []Instrument{
		{
			Name: httpDuration, Kind: Histogram, Unit: "s", Attributes: []string{attrMethod, attrScheme, attrRoute, attrStatusCode, attrError},
			Description: "How long requests took, from their header to the end of their answer. url.scheme is that of the client; a path that is " +
				"not served has no route; error.type is the status of an answer from 500 on.",
			buckets: durations(), Dimensions: [][]string{total(), {attrMethod, attrRoute}, {attrStatusCode}},
		},
		{
			Name: httpActive, Kind: UpDown, Unit: "{request}", Attributes: []string{attrMethod, attrScheme},
			Description: "Requests that are being answered.",
		},
		{
			Name: admissionWaiting, Kind: Gauge, Unit: "{request}",
			Description: "Requests that wait for a place among those that are worked on.",
		},
		{
			Name: admissionRefused, Kind: Counter, Unit: "{request}", Attributes: []string{attrReason},
			Description: "Requests that were turned away for there being too many: queue_full and queue_timeout (all places taken), " +
				"body_bytes (too much to hold in memory), rate_limit (of one caller).",
			Dimensions: [][]string{total(), {attrReason}},
		},
		{
			Name: admissionHeld, Kind: UpDown, Unit: "{request}",
			Description: "Requests that were turned away and are told so a little later, for a second at most: over HTTP/2, or through a proxy.",
		},
		{
			Name: httpConnections, Kind: UpDown, Unit: "{connection}", Attributes: []string{attrConnection},
			Description: "Open connections to the API: active, and idle ones between two requests.",
		},
		{
			Name: httpResting, Kind: UpDown, Unit: "{connection}",
			Description: "Connections that are not read for a while, as a request on them was turned away; they are among the idle ones.",
		},
	}
}

// orderInstruments measure what became of orders.
func orderInstruments() []Instrument {
	return []Instrument{
		{
			Name: ordersPlaced, Kind: Counter, Unit: "{order}", Attributes: []string{attrOrigin},
			Description: "Orders that were committed, by whatever way they came: new, or history, of which no subscriber is told. " +
				"A repeat under the same key does not count.",
			Dimensions: [][]string{total(), {attrOrigin}},
		},
		{
			Name: ordersMoved, Kind: Counter, Unit: "{order}", Attributes: []string{attrStatus},
			Description: "Orders that came to a status: paid, shipped, delivered, canceled.",
			Dimensions:  [][]string{{attrStatus}},
		},
		{
			Name: storeDuration, Kind: Histogram, Unit: "s", Attributes: []string{attrSystem, attrOperation, attrError},
			Description: "How long calls of the store took, with the wait in its queue. error.type says why one failed that is no refusal: " +
				"a code such as store_busy, canceled, timeout, or internal.",
			buckets: durations(), Dimensions: [][]string{{attrSystem, attrOperation}, {attrSystem, attrError}},
		},
		{
			Name: storeDepth, Kind: Gauge, Unit: "{write}", Attributes: []string{attrSystem},
			Description: "Writes that wait to be written together.",
		},
		{
			Name: storeBatch, Kind: Histogram, Unit: "{write}", Attributes: []string{attrSystem, attrOperation},
			Description: "How many writes went together: a commit of SQLite, an insert or an update of MongoDB.",
			buckets:     []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024},
		},
		{
			Name: storeCommit, Kind: Histogram, Unit: "s", Attributes: []string{attrSystem, attrOperation},
			Description: "How long those writes took together until they were durable.",
			buckets:     durations(),
		},
		{
			Name: commandsReceived, Kind: Counter, Unit: "{message}", Attributes: []string{attrOutcome, attrError},
			Description: "Commands by what became of them each time that they came: applied, repeated, early, failed or dead_lettered; " +
				"error.type is the code of why one was dead-lettered.",
			Dimensions: [][]string{{attrOutcome}, {attrOutcome, attrError}},
		},
		{
			Name: importRecords, Kind: Counter, Unit: "{record}", Attributes: []string{attrOutcome},
			Description: "Orders of an import by what became of them: placed, repeated, refused. Only 'orders import' sends it, by OTLP.",
		},
		{
			Name: serviceReady, Kind: Gauge,
			Description: "1 if this process takes orders, or commands, as /health/ready would say within 5 seconds; 0 if its store takes no writes.",
		},
		{
			Name: buildInfo, Kind: Gauge, Attributes: []string{attrVersion, attrRevision, attrGoVersion},
			Description: "Always 1: what the program was made from.",
		},
	}
}

// deliveryInstruments measure what subscribers were told.
func deliveryInstruments() []Instrument {
	return []Instrument{
		{
			Name: deliveryTold, Kind: Counter, Unit: "{event}", Attributes: []string{attrSubscriber},
			Description: "Events that a subscriber was told; one that was told again counts again.",
			Dimensions:  [][]string{{attrSubscriber}},
		},
		{
			Name: deliveryRetries, Kind: Counter, Unit: "{delivery}", Attributes: []string{attrSubscriber},
			Description: "Deliveries that failed and are tried again.",
			Dimensions:  [][]string{{attrSubscriber}},
		},
		{
			Name: deliveryParks, Kind: Counter, Unit: "{delivery}", Attributes: []string{attrSubscriber},
			Description: "Deliveries that this process gave up, until an operator acts.",
			Dimensions:  [][]string{{attrSubscriber}},
		},
		{
			Name: deliveryInHand, Kind: Gauge, Unit: "{order}", Attributes: []string{attrSubscriber},
			Description: "Orders that this process has in hand to tell of.",
		},
		{
			Name: deliverySize, Kind: Gauge, Unit: "By", Attributes: []string{attrSubscriber},
			Description: "About how much memory those orders take.",
		},
		{
			Name: deliveryAway, Kind: Gauge, Attributes: []string{attrSubscriber},
			Description: "1 while the subscriber is away as a whole and left alone, else 0.",
		},
		{
			Name: deliveryDuration, Kind: Histogram, Unit: "s", Attributes: []string{attrSubscriber, attrError},
			Description: "How long one call of a subscriber took, with the orders that it was told of together. " +
				"error.type is the kind of the first failure, such as unavailable.",
			buckets: durations(), Dimensions: [][]string{{attrSubscriber}, {attrSubscriber, attrError}},
		},
		{
			Name: deliveryWaiting, Kind: Gauge, Unit: "{delivery}", Attributes: []string{attrSubscriber},
			Description: "Deliveries that wait in the store, for whichever process: 10,000 stands for more. Every process says the same.",
			Dimensions:  [][]string{{attrSubscriber}},
		},
		{
			Name: deliveryParked, Kind: Gauge, Unit: "{delivery}", Attributes: []string{attrSubscriber},
			Description: "Deliveries that were given up until an operator acts, counted as those that wait.",
			Dimensions:  [][]string{{attrSubscriber}},
		},
		{
			Name: deliveryOldest, Kind: Gauge, Unit: "s", Attributes: []string{attrSubscriber},
			Description: "Age of the event that has been waiting longest, 0 when none waits.",
			Dimensions:  [][]string{{attrSubscriber}},
		},
	}
}
