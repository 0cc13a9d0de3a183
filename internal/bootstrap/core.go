package bootstrap

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/identity"
	"order-processing-service/internal/infrastructure/telemetry/emf"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
	"order-processing-service/internal/infrastructure/telemetry/tracing"
	"order-processing-service/internal/interfaces/connections"
	"order-processing-service/internal/interfaces/httpapi"
)

// ServiceName is how the service calls itself in logs and events.
const ServiceName = "order-processing-service"

// core is what the program is made of whichever way requests come in: the store, the dispatcher and the use cases.
// Every part of it is made here.
type core struct {
	config     *config.Config
	log        *slog.Logger
	metrics    *metrics.Metrics
	emf        *emf.Writer     // nil but in Lambda
	tracer     *tracing.Tracer // nil when nothing is traced
	store      storage
	dispatcher *delivery.Dispatcher
	orders     *ordering.Service
	useCases   httpapi.Orders    // those of orders, traced if anything is
	callers    *identity.Callers // nil when nobody is asked who calls
	release    func() int        // how many of the connections that rest may be read again
	checks     []look
	stopLooks  context.CancelFunc // at what the parts depend on
}

// openCore makes the parts, but starts none; ctx is for that only. Log lines go to out. The error says in one line what to
// do. A core that was opened must be closed. A process that may be frozen is one in AWS Lambda, where metrics are read from the log.
func openCore(ctx context.Context, c *config.Config, out io.Writer, frozen bool) (_ *core, err error) {
	p := &core{config: c, log: newLogger(c, out)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close(ctx))
		}
	}()
	if frozen && c.MetricsEMF == "auto" {
		p.emf = newEMF(c, out)
	}
	if p.metrics, err = openMetrics(ctx, c, p.log, frozen, p.emf); err != nil {
		return nil, err
	}
	if p.tracer, err = openTracer(ctx, c, p.log, frozen); err != nil {
		return nil, err
	}
	if p.store, err = openStore(ctx, c, p.log, p.metrics); err != nil {
		return nil, err
	}
	p.store.Store = p.tracer.Store(p.store.system, p.metrics.Store(p.store.system, p.store.Store))
	p.store.deliveryStore = p.tracer.DeliveryStore(p.store.system, p.metrics.DeliveryStore(p.store.system, p.store.deliveryStore))
	told, err := subscribers(ctx, c, p.log, p.tracer)
	if err != nil {
		return nil, err
	}
	p.checks = looks(told)
	for i := range told {
		told[i] = p.tracer.Subscriber(p.metrics.Subscriber(told[i]), messagingSystem(c, told[i].Name()))
	}
	p.dispatcher = delivery.New(delivery.Config{
		Store: p.store, Subscribers: told, Logger: p.log, Now: p.store.now,
		Lease: c.DeliveryLease, PollInterval: c.DeliveryPollInterval, MaxAttempts: c.DeliveryMaxAttempts,
		BackoffMin: c.DeliveryBackoffMin, BackoffMax: c.DeliveryBackoffMax, Workers: c.DeliveryWorkers,
	})
	p.metrics.ObserveDeliveries(p.dispatcher.Stats)
	p.metrics.ObserveBacklog(metrics.Backlogs{Now: p.store.now, Log: p.log, Read: func(ctx context.Context) ([]delivery.Backlog, error) {
		return p.store.Backlog(ctx, subscriberNames(c), delivery.MaxBacklog)
	}})
	use := ordering.Config{Store: p.store, Teller: p.dispatcher, Now: p.store.now, DefaultCurrency: c.DefaultCurrency}
	if meter := p.metrics.Orders(); meter != nil {
		use.Meter = meter
	}
	p.orders = ordering.New(use)
	p.metrics.ObserveReady(p.orders.Ready)
	p.useCases = p.orders
	if p.tracer != nil {
		p.useCases = p.tracer.Orders(p.orders)
	}
	return p, nil
}

// api is the REST API on these parts. It logs to log.
func (p *core) api(log *slog.Logger) http.Handler { return p.apiThatWakes(log, p.dispatcher.Wake) }

// apiThatWakes is api with what is called when an operator has made deliveries due.
func (p *core) apiThatWakes(log *slog.Logger, wake func()) http.Handler {
	c := p.config
	settings := httpapi.Config{
		Orders:     p.useCases,
		Deliveries: delivery.NewOperations(p.store, wake, p.store.now),
		Log:        log, Version: Build().Version,
		MaxBody: c.MaxBodyBytes, MaxBatchBody: c.MaxBatchBodyBytes,
		MaxInFlightBytes: c.MaxInFlightBytes, RequestTimeout: c.RequestTimeout, ExportStall: c.WriteTimeout,
		MaxConcurrent: c.MaxConcurrentRequests, MaxWaiting: c.MaxQueuedRequests, QueueTimeout: c.QueueTimeout,
		Rest: connections.Rest, LongestRest: c.IdleTimeout / restPart, Rested: connections.Rested,
		RateLimit: newLimiter(c.RateLimit), TrustedProxies: c.Proxies(), AllowedOrigins: c.Origins(),
		Propagators: httpapi.Propagators{NoW3C: !c.Propagates(propagatorW3C), NoXRay: !c.Propagates(propagatorXRay)},
	}
	if c.TrustProxy {
		settings.Rest = nil // every connection is the proxy's
	}
	if p.tracer != nil {
		settings.Record = func(ctx context.Context, r httpapi.Request) (context.Context, func(int, bool)) {
			return p.tracer.Request(ctx, tracing.Request(r))
		}
	}
	if meter := p.metrics.HTTP(); meter != nil {
		settings.Meter = meter
	}
	if p.callers != nil {
		settings.Identify = p.callers.Identify
	}
	if c.LogSubject == "hash" {
		settings.NameSubject = identity.HashSubject
	}
	api := httpapi.New(settings)
	p.metrics.ObserveAdmission(api.Waiting, api.Held)
	p.release = api.Release
	return api
}

// start begins what goes on in the background until close; the end of ctx does not end it.
func (p *core) start(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	p.dispatcher.Start(ctx)
	ctx, p.stopLooks = context.WithCancel(ctx)
	go check(ctx, p.checks, p.log)
	if every := p.config.SecretsRefresh; every > 0 && p.store.renew != nil {
		go refresh(ctx, every, p.store.renew)
	}
}

// startOnDemand is start for a process that may be frozen between pieces of work: nothing goes on by itself.
func (p *core) startOnDemand(ctx context.Context) {
	p.dispatcher.StartOnDemand(context.WithoutCancel(ctx))
}

// close ends the parts in the order in which they depend on each other, until ctx ends. Parts that were never made are
// passed over; closing twice does nothing.
func (p *core) close(ctx context.Context) error {
	var errs []error
	if p.stopLooks != nil {
		p.stopLooks()
	}
	if p.dispatcher != nil {
		stopping, done := allBut(ctx, flushPart)
		errs = append(errs, p.dispatcher.Stop(stopping))
		done()
	}
	if p.callers != nil {
		p.callers.Close()
	}
	errs = append(errs, p.emf.Write(ctx), p.metrics.Shutdown(ctx)) // when all is done that is measured, and the store can still say what is left
	if p.store.Closer != nil {
		errs = append(errs, p.store.Close())
	}
	p.tracer.Close(ctx) // last, so that all that was done until now is exported
	return errors.Join(errs...)
}
