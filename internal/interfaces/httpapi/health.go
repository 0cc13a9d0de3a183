package httpapi

import (
	"net/http"

	"order-processing-service/internal/application/wire"
)

func (a *api) healthChecks() []operation { return []operation{a.health(), a.alive(), a.ready()} }

func (a *api) health() operation {
	return healthCheck("/health", "health", "Is the service alive?", "Answers as soon as the process does. It asks no other part.", nil)
}

func (a *api) alive() operation {
	return healthCheck("/health/live", "alive", "Is the service alive? (for probes)", "The same as /health.", nil)
}

func (a *api) ready() operation {
	return healthCheck("/health/ready", "ready", "Can the service take orders?",
		"Answers 200 if the store answers in time, so that an order could be placed now. An answer is good for a second.", (*exchange).ready)
}

func healthCheck(path, id, summary, text string, check func(*exchange) error) operation {
	op := operation{
		method: http.MethodGet, path: path,
		doc: &description{
			id: id, tag: tagHealth, summary: summary, text: text,
			replies: []reply{{status: http.StatusOK, text: "It is well.", body: wire.Health{}}},
		},
		handle: func(x *exchange) error {
			if check != nil {
				if err := check(x); err != nil {
					return err
				}
			}
			return x.replyJSON(http.StatusOK, wire.AppendHealth(x.out[:0], &wire.Health{
				Status: "ok", Service: wire.EventSource, Version: x.api.Version,
			}))
		},
		exempt: true, quiet: true, lenient: true,
	}
	if check != nil {
		op.doc.errors = []int{503}
	}
	return op
}

func (x *exchange) ready() error {
	return x.api.readiness.check(x.ctx, x.api.ReadyTimeout, x.api.Orders.Ready)
}
