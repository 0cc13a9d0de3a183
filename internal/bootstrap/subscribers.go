package bootstrap

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/aws/eventbridge"
	"order-processing-service/internal/infrastructure/aws/s3"
	"order-processing-service/internal/infrastructure/aws/sqs"
	"order-processing-service/internal/infrastructure/simulated"
	"order-processing-service/internal/infrastructure/telemetry/tracing"
)

// The values of EVENTS and MANIFESTS.
const (
	toSimulated   = "simulated"
	toEventBridge = "eventbridge"
	toSQS         = "sqs"
	toS3          = "s3"
	toNobody      = "none"
)

// subscribers are told of every change.
func subscribers(ctx context.Context, c *config.Config, log *slog.Logger, tracer *tracing.Tracer) ([]delivery.Subscriber, error) {
	var account awssdk.Config
	if c.Events == toEventBridge || c.Events == toSQS || c.Manifests == toS3 {
		var err error
		if account, err = awsAccount(ctx, log, tracer); err != nil {
			return nil, err
		}
	}
	var list []delivery.Subscriber
	switch c.Events {
	case toSimulated:
		list = append(list, simulated.NewEvents(simulated.EventsConfig{
			Logger: log, BusName: c.EventBusName, Encode: wire.AppendEventData,
		}))
	case toEventBridge:
		list = append(list, eventbridge.New(eventbridge.Config{AWS: account, Bus: c.EventBusName, DataRef: dataRef(c)}))
	case toSQS:
		list = append(list, sqs.New(sqs.Config{AWS: account, QueueURL: c.EventsQueueURL, DataRef: dataRef(c)}))
	}
	switch c.Manifests {
	case toSimulated:
		list = append(list, simulated.NewManifests(simulated.ManifestsConfig{
			Logger: log, Dir: filepath.Join(c.DataDir, "s3"), Bucket: c.ManifestBucket, Encode: wire.AppendOrder,
		}))
	case toS3:
		list = append(list, s3.New(s3.Config{
			AWS: account, Bucket: c.ManifestBucket, Encryption: c.ManifestEncryption, KMSKeyID: c.ManifestKMSKeyID,
		}))
	}
	return list, nil
}

// messagingSystem is what a subscriber sends messages to, as traces call it; "" for the one that keeps manifests.
func messagingSystem(c *config.Config, subscriber string) string {
	if subscriber != "events" {
		return ""
	}
	return map[string]string{
		toSimulated: tracing.SystemSimulated, toEventBridge: tracing.SystemEventBridge, toSQS: tracing.SystemSQS,
	}[c.Events]
}

// subscriberNames are the names of those that subscribers returns.
func subscriberNames(c *config.Config) []string {
	var names []string
	if c.Events != toNobody {
		names = append(names, "events")
	}
	if c.Manifests != toNobody {
		names = append(names, "manifests")
	}
	return names
}

// dataRef says where an order is found whose event is too large: its manifest, or else its path in the API.
func dataRef(c *config.Config) func(order.ID) string {
	if c.Manifests == toS3 {
		return func(id order.ID) string { return "s3://" + c.ManifestBucket + "/" + s3.Key(id) }
	}
	return func(id order.ID) string { return "/orders/" + id.String() }
}

// look is a look, after the start, whether something outside is there.
type look struct {
	check func(context.Context) error
	name  string // of the subscriber; "" for the queue of dead letters
}

// looks are those at what subscribers stand for.
func looks(subscribers []delivery.Subscriber) []look {
	type checked interface {
		Check(ctx context.Context) error
	}
	var list []look
	for _, s := range subscribers {
		if c, ok := s.(checked); ok {
			list = append(list, look{check: c.Check, name: s.Name()})
		}
	}
	return list
}

// checkTimeout bounds all looks together.
const checkTimeout = 15 * time.Second

// check says once, after the start, what is not there yet. The service works all the same.
func check(ctx context.Context, list []look, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for _, l := range list {
		err := l.check(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		if l.name == "" {
			log.WarnContext(ctx, "Commands that can't be applied may be lost sight of", "error", err)
		} else {
			log.WarnContext(ctx, "Subscriber is not there; what it is to be told waits", "subscriber", l.name, "error", err)
		}
	}
}
