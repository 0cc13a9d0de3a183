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
	"order-processing-service/internal/infrastructure/telemetry"
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
	store      storage
	dispatcher *delivery.Dispatcher
	orders     *ordering.Service
	callers    *identity.Callers // nil when nobody is asked who calls
	checks     []look
	stopLooks  context.CancelFunc // at what the parts depend on
}

// openCore makes the parts, but starts none; ctx is for that only. Log lines go to out. The error says in one line what to
// do. A core that was opened must be closed.
func openCore(ctx context.Context, c *config.Config, out io.Writer) (_ *core, err error) {
	p := &core{config: c, log: telemetry.NewLogger(out, c.LogLevel, ServiceName, Build().Version)}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close(ctx))
		}
	}()
	if p.store, err = openStore(ctx, c, p.log); err != nil {
		return nil, err
	}
	told, err := subscribers(ctx, c, p.log)
	if err != nil {
		return nil, err
	}
	p.checks = looks(told)
	p.dispatcher = delivery.New(delivery.Config{
		Store: p.store, Subscribers: told, Logger: p.log, Now: p.store.now,
		Lease: c.DeliveryLease, PollInterval: c.DeliveryPollInterval, MaxAttempts: c.DeliveryMaxAttempts,
		BackoffMin: c.DeliveryBackoffMin, BackoffMax: c.DeliveryBackoffMax, Workers: c.DeliveryWorkers,
	})
	p.orders = ordering.New(ordering.Config{
		Store: p.store, Teller: p.dispatcher, Now: p.store.now, DefaultCurrency: c.DefaultCurrency,
	})
	return p, nil
}

// api is the REST API on these parts. It logs to log.
func (p *core) api(log *slog.Logger) http.Handler { return p.apiThatWakes(log, p.dispatcher.Wake) }

// apiThatWakes is api with what is called when an operator has made deliveries due.
func (p *core) apiThatWakes(log *slog.Logger, wake func()) http.Handler {
	c := p.config
	settings := httpapi.Config{
		Orders:     p.orders,
		Deliveries: delivery.NewOperations(p.store, wake, p.store.now),
		Log:        log, Version: Build().Version,
		MaxBody: c.MaxBodyBytes, MaxBatchBody: c.MaxBatchBodyBytes,
		MaxInFlightBytes: c.MaxInFlightBytes, RequestTimeout: c.RequestTimeout, ExportStall: c.WriteTimeout,
		MaxConcurrent: c.MaxConcurrentRequests, MaxWaiting: c.MaxQueuedRequests, QueueTimeout: c.QueueTimeout,
		Rest: connections.Rest, Rested: connections.Rested,
		RateLimit: newLimiter(c.RateLimit), TrustedProxies: c.Proxies(), AllowedOrigins: c.Origins(),
	}
	if p.callers != nil {
		settings.Identify = p.callers.Identify
	}
	if c.LogSubject == "hash" {
		settings.NameSubject = identity.HashSubject
	}
	return httpapi.New(settings)
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
		errs = append(errs, p.dispatcher.Stop(ctx))
	}
	if p.callers != nil {
		p.callers.Close()
	}
	if p.store.Closer != nil {
		errs = append(errs, p.store.Close())
	}
	return errors.Join(errs...)
}
