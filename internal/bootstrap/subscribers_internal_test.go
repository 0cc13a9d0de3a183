package bootstrap

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/bootstrap/config"
)

// Who imports names those that the service will tell, without making them.
func TestSubscriberNames(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	for _, events := range []string{toSimulated, toEventBridge, toSQS, toNobody} {
		for _, manifests := range []string{toSimulated, toS3, toNobody} {
			c := &config.Config{Events: events, Manifests: manifests, DataDir: t.TempDir(), ManifestBucket: "orders-manifest"}
			list, err := subscribers(t.Context(), c, slog.New(slog.DiscardHandler), nil)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, s := range list {
				names = append(names, s.Name())
			}
			if diff := cmp.Diff(names, subscriberNames(c)); diff != "" {
				t.Errorf("%s, %s (-made +named):\n%s", events, manifests, diff)
			}
		}
	}
}
