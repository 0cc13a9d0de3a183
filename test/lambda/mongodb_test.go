//go:build unix

package lambda_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"order-processing-service/test/lambda"
	"order-processing-service/test/mongodb"
	"order-processing-service/test/process"
)

// TestFrozenOnMongoDB freezes an instance in the middle of telling, for longer than its leases, and cuts its connections to
// the database meanwhile, as a firewall between does. Another instance sweeps in that time. Nothing is lost or told out of
// sequence, and the first instance serves its next invocation in time.
func TestFrozenOnMongoDB(t *testing.T) {
	inTime(t, func() string { return frozenOnMongoDB(t) })
}

// frozenOnMongoDB tells whether the bus was asked at all before the freeze.
func frozenOnMongoDB(t *testing.T) (problem string) {
	t.Helper()
	server := mongodb.Need(t)
	proxy, uri := server.Proxied(t)
	database := server.Database(t).Name()
	first, second := lambda.NewRuntime(t), lambda.NewRuntime(t)
	bus := lambda.NewBus(t)
	settings := func(uri string) []string {
		return []string{"DATA_DIR=", "MONGO_URI=" + uri, "MONGO_DB=" + database, "DELIVERY_LEASE=1s"}
	}
	frozen := again(t, first, t.TempDir(), bus, settings(uri)...)
	again(t, second, t.TempDir(), bus, settings(server.URI)...)

	id := placed(t, first.Invoke(t, post(t, "POST", "/orders", newOrder)))
	bus.Hold()
	first.Begin(post(t, "PATCH", "/orders/"+id, `{"status":"PAID"}`), 3*time.Second).Await(t)
	frozen.Freeze(t)
	if !wasAsked(bus) {
		return tooLate
	}
	lease := time.NewTimer(1500 * time.Millisecond) // longer than the lease
	<-lease.C
	bus.Release()
	proxy.Cut()
	proxy.Heal()
	process.Await(t, "the sweep to tell all", func() bool {
		if got := string(second.Invoke(t, recorded(t, "scheduler"))); got != `{"left":0,"complete":true}` {
			t.Fatalf("the sweep answers %s", got)
		}
		return toldAll(bus.Events(), id, 3)
	})
	frozen.Thaw(t)
	a := first.Begin(post(t, "PATCH", "/orders/"+id, `{"status":"SHIPPED"}`), 10*time.Second).Await(t)
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(a.Payload, &answer); err != nil || a.Failed || answer.StatusCode != http.StatusOK {
		t.Fatalf("after the thaw: %v, %s", err, a.Payload)
	}
	first.Invoke(t, recorded(t, "scheduler"))
	told := bus.Events()
	checkSequence(t, told)
	for n, most := range []int{1, 3, 3, 1, 1} {
		event := id + "-" + string(rune('1'+n))
		if got := strings.Count(strings.Join(told, " ")+" ", event+" "); got == 0 || got > most {
			t.Errorf("%s was told %d times, want at most %d: %v", event, got, most, told)
		}
	}
	return ""
}
