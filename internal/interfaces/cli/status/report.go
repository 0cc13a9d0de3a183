// Package status asks a running service how it is, at its admin address, and puts that on one screen. What it is answered may come
// from anybody: it is bounded, what can't be read is left out, and nothing of it is a command to the terminal.
package status

import (
	"slices"
	"time"
)

// Report is how a service is. In JSON it is a promise to programs: members are added, none is changed or taken away. What is not
// known is null. Rates are over the time between the two looks that the report was made from.
type Report struct {
	At    time.Time `json:"at"`
	URL   string    `json:"url"`
	Live  bool      `json:"live"`
	Ready bool      `json:"ready"`
	// Reason says why it is not ready, or not live; "" if it is.
	Reason string `json:"reason"`
	// Trouble says why there are no measurements; "" if there are, or it is not live.
	Trouble       string      `json:"metrics_error"`
	Version       string      `json:"version"`
	Revision      string      `json:"revision"`
	UptimeSeconds *float64    `json:"uptime_seconds"`
	RatesOver     *float64    `json:"rates_over_seconds"`
	Requests      *Requests   `json:"requests"`
	Store         *Store      `json:"store"`
	Orders        *Orders     `json:"orders"`
	Deliveries    []Deliverer `json:"deliveries"`
	Commands      *Commands   `json:"commands"`
	Memory        *Memory     `json:"memory"`
}

// Requests are those to the API.
type Requests struct {
	PerSecond        *float64 `json:"per_second"`
	ErrorShare       *float64 `json:"error_share"` // answered 5xx, from 0 to 1; null without any request
	P50Seconds       *float64 `json:"p50_seconds"` // half of them took no longer; null without any request
	P99Seconds       *float64 `json:"p99_seconds"`
	InFlight         *float64 `json:"in_flight"`
	Waiting          *float64 `json:"waiting"` // to be admitted
	RefusedPerSecond *float64 `json:"refused_per_second"`
	Connections      *float64 `json:"connections"`
	// Those that are kept from coming back at once, as they were refused.
	RestingConnections *float64 `json:"resting_connections"`
	Held               *float64 `json:"held"` // requests
}

// Store is the writing of orders.
type Store struct {
	System           string   `json:"system"` // sqlite or mongodb; "" if not known
	QueueDepth       *float64 `json:"queue_depth"`
	CommitsPerSecond *float64 `json:"commits_per_second"`
	CommitP99Seconds *float64 `json:"commit_p99_seconds"`
}

// Counter is how often something has happened.
type Counter struct {
	Total     *float64 `json:"total"` // since the service was started
	PerSecond *float64 `json:"per_second"`
}

// Orders are those that were placed and moved.
type Orders struct {
	Placed Counter            `json:"placed"`
	Moved  map[string]Counter `json:"moved"` // by the status that they moved to
}

// Deliverer is what a subscriber is told of orders.
type Deliverer struct {
	Subscriber       string   `json:"subscriber"`
	ToldPerSecond    *float64 `json:"told_per_second"`
	RetriesPerSecond *float64 `json:"retries_per_second"`
	Waiting          *float64 `json:"waiting"` // by all processes, counted up to a bound
	Parked           *float64 `json:"parked"`  // the same
	OldestAgeSeconds *float64 `json:"oldest_age_seconds"`
	InHand           *float64 `json:"in_hand"` // by this process
	Away             *bool    `json:"away"`
}

// Commands are those from a queue.
type Commands struct {
	Outcomes map[string]Counter `json:"outcomes"`
}

// Memory is what the process takes.
type Memory struct {
	ResidentBytes *float64 `json:"resident_bytes"`
	GoBytes       *float64 `json:"go_bytes"` // of these by the Go runtime
	Goroutines    *float64 `json:"goroutines"`
}

// Report is how the service is by two looks at it, of which the earlier one may be nil.
func (s *Service) Report(earlier, now *Look) *Report {
	r := &Report{
		At: now.at.UTC(), URL: s.base.Redacted(), Live: now.live, Ready: now.ready, Reason: now.reason, Trouble: now.trouble, Version: now.version,
		Deliveries: []Deliverer{},
	}
	m := now.metrics
	if m == nil {
		return r
	}
	w := window{after: m}
	if earlier != nil && earlier.metrics != nil && now.at.After(earlier.at) {
		w = between(earlier.metrics, m, now.at.Sub(earlier.at))
		r.RatesOver = new(rounded(w.took.Seconds()))
	}
	if r.Version == "" {
		r.Version = shortened(m.label("orders_build_info", "service_version"))
	}
	if revision := shortened(m.label("orders_build_info", "vcs_ref_head_revision")); revision != "unknown" {
		r.Revision = revision
	}
	if started := m.sum("process_start_time_seconds"); started != nil {
		if up := rounded(float64(now.at.UnixMilli())/1_000 - *started); up >= 0 {
			r.UptimeSeconds = &up
		}
	}
	r.Requests, r.Store, r.Orders = w.requests(), w.store(), w.orders()
	r.Deliveries, r.Commands, r.Memory = w.deliveries(), w.commands(), w.memory()
	return r
}

// any reports whether there are measurements of any of the names.
func (m metrics) any(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return len(m[name]) > 0 })
}

func (w window) requests() *Requests {
	const duration, active, waiting = "http_server_request_duration_seconds", "http_server_active_requests", "orders_admission_waiting"
	if !w.after.any(duration, active, waiting) {
		return nil
	}
	inFlight := w.after.sum(active)
	if inFlight == nil { // none has come yet
		inFlight = new(0.0)
	}
	r := &Requests{
		InFlight: inFlight, Waiting: w.after.sum(waiting),
		RefusedPerSecond: w.rate("orders_admission_refused_total"), Connections: w.after.sum("orders_http_connections"),
		RestingConnections: w.after.sum("orders_http_resting_connections"), Held: w.after.sum("orders_admission_held"),
	}
	all := w.histogram(duration)
	if all == nil {
		return r
	}
	r.PerSecond = new(rounded(all.count / w.took.Seconds()))
	r.P50Seconds, r.P99Seconds = all.quantile(0.5), all.quantile(0.99)
	if all.count > 0 {
		r.ErrorShare = new(rounded(w.failed(duration) / all.count))
	}
	return r
}

// failed counts the requests that were answered 5xx.
func (w window) failed(duration string) float64 {
	const label = "http_response_status_code"
	failed := 0.0
	for _, status := range w.after.values(duration, label) {
		if len(status) == 3 && status[0] == '5' {
			failed += w.histogram(duration, label, status).count
		}
	}
	return failed
}

func (w window) store() *Store {
	const depth, commits = "orders_store_queue_depth", "orders_store_commit_duration_seconds"
	if !w.after.any(depth, commits) {
		return nil
	}
	s := &Store{QueueDepth: w.after.sum(depth)}
	if systems := w.after.values("orders_store_", "db_system_name"); len(systems) > 0 {
		s.System = shortened(systems[0])
	}
	if all := w.histogram(commits); all != nil {
		s.CommitsPerSecond, s.CommitP99Seconds = new(rounded(all.count/w.took.Seconds())), all.quantile(0.99)
	}
	return s
}

func (w window) counter(name string, labels ...string) Counter {
	return Counter{Total: w.after.sum(name, labels...), PerSecond: w.rate(name, labels...)}
}

// counters are the counters of a name by a label.
func (w window) counters(name, label string) map[string]Counter {
	all := make(map[string]Counter)
	for _, value := range w.after.values(name, label) {
		all[shortened(value)] = w.counter(name, label, value)
	}
	return all
}

func (w window) orders() *Orders {
	const placed, moved = "orders_placed_total", "orders_moved_total"
	if !w.after.any(placed, moved) {
		return nil
	}
	return &Orders{Placed: w.counter(placed), Moved: w.counters(moved, "orders_status")}
}

func (w window) deliveries() []Deliverer {
	const prefix, label = "orders_delivery_", "orders_subscriber"
	deliverers := []Deliverer{}
	for _, name := range w.after.values(prefix, label) {
		d := Deliverer{
			Subscriber:    shortened(name),
			ToldPerSecond: w.rate(prefix+"told_total", label, name), RetriesPerSecond: w.rate(prefix+"retries_total", label, name),
			Waiting: w.after.sum(prefix+"waiting", label, name), Parked: w.after.sum(prefix+"parked", label, name),
			OldestAgeSeconds: w.after.sum(prefix+"oldest_age_seconds", label, name), InHand: w.after.sum(prefix+"in_hand", label, name),
		}
		if away := w.after.sum(prefix+"subscriber_away", label, name); away != nil {
			d.Away = new(*away != 0)
		}
		deliverers = append(deliverers, d)
	}
	return deliverers
}

func (w window) commands() *Commands {
	const name = "orders_commands_total"
	if !w.after.any(name) {
		return nil
	}
	return &Commands{Outcomes: w.counters(name, "orders_outcome")}
}

func (w window) memory() *Memory {
	m := Memory{
		ResidentBytes: w.after.sum("process_resident_memory_bytes"), GoBytes: w.after.sum("go_memory_used_bytes"),
		Goroutines: w.after.sum("go_goroutine_count"),
	}
	if m == (Memory{}) {
		return nil
	}
	return &m
}
