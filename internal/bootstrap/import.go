package bootstrap

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/infrastructure/orderclient"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
	"order-processing-service/internal/interfaces/cli"
)

// importOrders is the work behind the import command: to a running service, or to the configured
// store itself.
func importOrders(ctx context.Context, streams cli.Streams, o cli.ImportOptions) error {
	c, err := load(ctx, o.Overrides)
	if err != nil {
		return err
	}
	if o.Currency.IsZero() {
		if o.Currency, err = money.CurrencyOf(c.DefaultCurrency); err != nil {
			return err
		}
	}
	var measured *metrics.Metrics
	if !o.DryRun && c.PushesMetrics() {
		var end func()
		if measured, end, err = watchImport(ctx, &o, c, streams.Err); err != nil {
			return err
		}
		defer end()
	}
	switch {
	case o.DryRun:
		return cli.RunImport(ctx, streams, o, nil, time.Now)
	case o.URL != "":
		client, err := orderclient.New(o.URL, orderclient.Credentials{Token: string(c.OrdersToken), APIKey: string(c.OrdersAPIKey)})
		if err != nil {
			return cli.UsageError{Err: err}
		}
		defer client.Close()
		return cli.RunImport(ctx, streams, o, client, time.Now)
	default:
		return importHere(ctx, streams, o, c, measured)
	}
}

// importHere imports into the store. Nobody is told by this process: the next service on the store
// finds the orders due.
func importHere(ctx context.Context, streams cli.Streams, o cli.ImportOptions, c *config.Config, measured *metrics.Metrics) (err error) {
	store, err := openStore(ctx, c, slog.New(slog.DiscardHandler), measured)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	use := ordering.Config{Store: store, Teller: delivery.Later(subscriberNames(c)), Now: store.now, DefaultCurrency: c.DefaultCurrency}
	if meter := measured.Orders(); meter != nil {
		use.Meter = meter
	}
	orders := ordering.New(use)
	// The same orders sent to a service whose callers are not known have the same ids.
	caller := ordering.Caller{Subject: access.AnonymousSubject}
	return cli.RunImport(ctx, streams, o, importing.Direct{Service: orders, Caller: caller}, time.Now)
}
