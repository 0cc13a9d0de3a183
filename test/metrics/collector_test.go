package metrics_test

import (
	"compress/gzip"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// receiver is an OpenTelemetry collector of metrics, by HTTP or by gRPC. It keeps the newest value of each point.
type receiver struct {
	collector.UnimplementedMetricsServiceServer

	url       string // for OTEL_EXPORTER_OTLP_ENDPOINT
	authority string // for OTEL_EXPORTER_OTLP_CERTIFICATE

	refuses  atomic.Bool
	advises  atomic.Pointer[collector.ExportMetricsPartialSuccess] // what each answer has, if anything
	mu       sync.Mutex
	calls    int
	key      string // the header api-key of the last call
	resource map[string]string
	points   map[string]float64 // by name and attributes; a histogram has its count
}

// byHTTP starts a receiver that ends with the test.
func byHTTP(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{points: make(map[string]float64)}
	mux := http.NewServeMux()
	mux.Handle("POST /base/v1/metrics", r)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	r.url = server.URL + "/base"
	return r
}

// byHTTPS is byHTTP with a certificate of an authority of its own.
func byHTTPS(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{points: make(map[string]float64)}
	server := httptest.NewTLSServer(r)
	t.Cleanup(server.Close)
	r.url, r.authority = server.URL, authorityOf(t, server)
	return r
}

// byGRPCS is byGRPC with a certificate of an authority of its own.
func byGRPCS(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{points: make(map[string]float64)}
	calls := grpc.NewServer()
	collector.RegisterMetricsServiceServer(calls, r)
	server := httptest.NewUnstartedServer(calls)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	r.url, r.authority = server.URL, authorityOf(t, server)
	return r
}

// authorityOf is the path of a file with what a server's certificate is checked against.
func authorityOf(t *testing.T, server *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// byGRPC starts a receiver that ends with the test.
func byGRPC(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{points: make(map[string]float64)}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collector.RegisterMetricsServiceServer(server, r)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	r.url = "http://" + listener.Addr().String()
	return r
}

// ServeHTTP takes an export by HTTP.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if r.refuses.Load() {
		r.keep(new(collector.ExportMetricsServiceRequest), "")
		http.Error(w, strings.Repeat("no ", 10_000), http.StatusForbidden)
		return
	}
	var export collector.ExportMetricsServiceRequest
	body, err := gzip.NewReader(http.MaxBytesReader(w, q.Body, 16<<20))
	var text []byte
	if err == nil {
		text, err = io.ReadAll(body)
	}
	if err == nil {
		err = proto.Unmarshal(text, &export)
	}
	if err != nil || q.Header.Get("Content-Type") != "application/x-protobuf" {
		http.Error(w, "no metrics in gzipped protobuf", http.StatusBadRequest)
		return
	}
	r.keep(&export, q.Header.Get("Api-Key"))
	w.Header().Set("Content-Type", "application/x-protobuf") // the answer without a complaint is empty
	if answer, err := proto.Marshal(r.answer()); err == nil {
		_, _ = w.Write(answer)
	}
}

// Export takes an export by gRPC.
func (r *receiver) Export(ctx context.Context, export *collector.ExportMetricsServiceRequest) (*collector.ExportMetricsServiceResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	r.keep(export, strings.Join(md.Get("api-key"), ","))
	return r.answer(), nil
}

func (r *receiver) answer() *collector.ExportMetricsServiceResponse {
	return &collector.ExportMetricsServiceResponse{PartialSuccess: r.advises.Load()}
}

func (r *receiver) keep(export *collector.ExportMetricsServiceRequest, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.key = key
	for _, from := range export.GetResourceMetrics() {
		r.resource = attributesOf(from.GetResource().GetAttributes())
		for _, scope := range from.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				r.keepMetric(m)
			}
		}
	}
}

func (r *receiver) keepMetric(m *otlp.Metric) {
	numbers := append(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()...)
	for _, p := range numbers {
		r.points[point(m.GetName(), p.GetAttributes())] = p.GetAsDouble() + float64(p.GetAsInt())
	}
	for _, p := range m.GetHistogram().GetDataPoints() {
		r.points[point(m.GetName(), p.GetAttributes())] = float64(p.GetCount())
	}
}

// point names a point: orders.placed map[orders.origin:new].
func point(name string, pairs []*common.KeyValue) string {
	return fmt.Sprint(name, " ", attributesOf(pairs))
}

func attributesOf(pairs []*common.KeyValue) map[string]string {
	all := make(map[string]string)
	for _, pair := range pairs {
		value := pair.GetValue().GetStringValue()
		if value == "" {
			value = strconv.FormatInt(pair.GetValue().GetIntValue(), 10)
		}
		all[pair.GetKey()] = value
	}
	return all
}

// count is how many calls have come so far.
func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// state is what has come so far.
func (r *receiver) state() (calls int, key string, resource map[string]string, points map[string]float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls, r.key, maps.Clone(r.resource), maps.Clone(r.points)
}
