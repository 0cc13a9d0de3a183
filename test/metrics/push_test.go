package metrics_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
)

// TestACollectorGetsWhatWasDone has the interval so long that what comes is what is sent at the stop.
func TestACollectorGetsWhatWasDone(t *testing.T) {
	for name, begin := range map[string]func(*testing.T) *receiver{
		"http/protobuf": byHTTP, "grpc": byGRPC, "http/protobuf with TLS": byHTTPS, "grpc with TLS": byGRPCS,
	} {
		t.Run(name, func(t *testing.T) {
			to := begin(t)
			protocol, _, _ := strings.Cut(name, " ")
			t.Run("program", func(t *testing.T) { // which stops at its end
				r := start(t, map[string]string{
					"OTEL_EXPORTER_OTLP_ENDPOINT": to.url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_CERTIFICATE": to.authority,
					"OTEL_EXPORTER_OTLP_HEADERS": "api-key=s3cret%21",
					"OTEL_RESOURCE_ATTRIBUTES":   "deployment.environment.name=test", "OTEL_METRIC_EXPORT_INTERVAL": "86400000", "OTEL_SERVICE_NAME": "orders-eu",
				})
				for range 3 {
					r.do(t, 201, "POST", r.URL+"/orders", tea)
				}
				r.within(t, map[string]float64{`orders_delivery_told_total{orders_subscriber="events"}`: 3})
			})
			calls, key, resource, points := to.state()
			if calls != 1 || key != "s3cret!" {
				t.Errorf("%d calls came, with the key %q", calls, key)
			}
			for name, want := range map[string]string{"service.name": "orders-eu", "deployment.environment.name": "test", "telemetry.sdk.language": "go"} {
				if resource[name] != want {
					t.Errorf("%s is %q", name, resource[name])
				}
			}
			if resource["service.version"] == "" || len(resource["service.instance.id"]) != 36 {
				t.Errorf("who it is: %v", resource)
			}
			for name, want := range map[string]float64{
				"orders.placed map[orders.origin:new]":                 3,
				"orders.delivery.told map[orders.subscriber:events]":   3,
				"orders.delivery.parked map[orders.subscriber:events]": 0,
				"http.server.request.duration map[http.request.method:POST http.response.status_code:201 http.route:/orders url.scheme:http]": 3,
			} {
				if got, ok := points[name]; !ok || got != want {
					t.Errorf("%s is %v (there: %v), want %v", name, got, ok, want)
				}
			}
		})
	}
}

func TestACollectorGetsMetricsAtIntervals(t *testing.T) {
	to := byHTTP(t)
	r := start(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": to.url, "OTEL_METRIC_EXPORT_INTERVAL": "100", "ADMIN_ADDR": "127.0.0.1:0"})
	r.do(t, 201, "POST", r.URL+"/orders", tea)
	for limit := time.After(patience); ; tick(t, limit, "a third send") {
		calls, _, _, points := to.state()
		if calls >= 3 && points["orders.placed map[orders.origin:new]"] == 1 {
			break
		}
	}
	if strings.Contains(r.Log.String(), "metrics can't be sent") {
		t.Error("the log says that nothing arrives")
	}
}

func TestNobodyIsSentMetricsThatAreNotWanted(t *testing.T) {
	to := byHTTP(t)
	t.Run("program", func(t *testing.T) {
		start(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": to.url, "OTEL_METRICS_EXPORTER": "none", "OTEL_METRIC_EXPORT_INTERVAL": "100"})
	})
	if calls := to.count(); calls != 0 {
		t.Errorf("%d calls came", calls)
	}
}

// TestACollectorThatIsAway has one that takes connections and never answers, and one that nobody listens for. Requests are answered
// as ever, the log says it once, and the stop comes in good time.
func TestACollectorThatIsAway(t *testing.T) {
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, address := range map[string]string{"silent": silent.Addr().String(), "nobody": "127.0.0.1:1"} {
		t.Run(name, func(t *testing.T) {
			r := start(t, map[string]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + address, "OTEL_METRIC_EXPORT_INTERVAL": "100", "SHUTDOWN_TIMEOUT": "2s",
			})
			said := func() int { return strings.Count(r.Log.String(), "metrics can't be sent") }
			for limit := time.After(patience); name == "nobody" && said() == 0; {
				tick(t, limit, "the line of the log")
			}
			for range 100 {
				begun := time.Now()
				r.do(t, 201, "POST", r.URL+"/orders", tea)
				if took := time.Since(begun); took > 9*time.Second { // a send that never ends takes 10
					t.Errorf("an order took %v", took)
				}
			}
			r.within(t, map[string]float64{
				`orders_placed_total{orders_origin="new"}`:               100,
				`orders_delivery_told_total{orders_subscriber="events"}`: 100,
			})
			if n := said(); n > 1 {
				t.Errorf("the log says it %d times", n)
			}
		})
	}
}

// TestACollectorThatRefuses says so once, however often, and once that it takes them again.
func TestACollectorThatRefuses(t *testing.T) {
	to := byHTTP(t)
	to.refuses.Store(true)
	r := start(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": to.url, "OTEL_METRIC_EXPORT_INTERVAL": "100"})
	until := func(calls int) {
		t.Helper()
		for limit := time.After(patience); ; tick(t, limit, "a send") {
			if to.count() >= calls {
				return
			}
		}
	}
	until(3)
	to.refuses.Store(false)
	until(to.count() + 2)
	for limit := time.After(patience); !strings.Contains(r.Log.String(), "metrics can be sent again"); {
		tick(t, limit, "the line of the log")
	}
	for text := range strings.Lines(r.Log.String()) {
		if strings.Contains(text, "metrics can't be sent") && (len(text) > 1_500 || !strings.Contains(text, "403")) {
			t.Errorf("the log says %d bytes: %.200s", len(text), text)
		}
	}
	for _, text := range []string{"metrics can't be sent", "metrics can be sent again"} {
		if n := strings.Count(r.Log.String(), text); n != 1 {
			t.Errorf("the log says %d times: %s", n, text)
		}
	}
}

// TestACollectorThatComplains takes a part of what it gets, or has advice: it is there, and the log says so once.
func TestACollectorThatComplains(t *testing.T) {
	for protocol, begin := range map[string]func(*testing.T) *receiver{"http/protobuf": byHTTP, "grpc": byGRPC} {
		for _, complaint := range []*collector.ExportMetricsPartialSuccess{{RejectedDataPoints: 3}, {ErrorMessage: "a label is deprecated"}} {
			to := begin(t)
			to.advises.Store(complaint)
			r := start(t, map[string]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT": to.url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_METRIC_EXPORT_INTERVAL": "100",
				"OTEL_TRACES_EXPORTER": "none",
			})
			for limit := time.After(patience); to.count() < 3; {
				tick(t, limit, "a third send")
			}
			text := r.Log.String()
			if strings.Contains(text, "metrics can't be sent") || strings.Count(text, "the collector complains") != 1 ||
				!strings.Contains(text, fmt.Sprintf(`"rejected":%d`, complaint.GetRejectedDataPoints())) ||
				!strings.Contains(text, complaint.GetErrorMessage()) {
				t.Errorf("%s, %v: the log has\n%s", protocol, complaint, text)
			}
		}
	}
}

// TestAnImportIsMeasured runs the command, which sends what it did when it ends.
func TestAnImportIsMeasured(t *testing.T) {
	to := byHTTP(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "orders.csv")
	const text = "reference,customer_id,sku,quantity,unit_price\n1,c-1,TEA,1,2.50\n2,c-1,TEA,1,2.50\n3,c-1,TEA,none,2.50\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"DATA_DIR": dir, "MONGO_HOST": "", "MONGO_URI": "", "OTEL_EXPORTER_OTLP_ENDPOINT": to.url} {
		t.Setenv(name, value)
	}
	orders := func() {
		t.Helper()
		var out, errs bytes.Buffer
		if code := cli.Run(t.Context(), bootstrap.Commands(), []string{"import", file}, cli.Streams{Out: &out, Err: &errs}); code != 0 {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
	}
	for _, want := range []map[string]float64{
		{"placed": 2, "repeated": 0, "refused": 1}, {"placed": 0, "repeated": 2, "refused": 1},
	} {
		orders()
		_, _, _, points := to.state()
		for outcome, count := range want {
			if got, ok := points["orders.import.records map[orders.outcome:"+outcome+"]"]; !ok || got != count {
				t.Errorf("%s: %v (there: %v), want %v", outcome, got, ok, count)
			}
		}
		if got := points["orders.placed map[orders.origin:new]"]; got != want["placed"] {
			t.Errorf("%v orders were placed, want %v", got, want["placed"])
		}
	}
}
