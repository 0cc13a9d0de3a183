package collector

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// StartGRPC starts a collector that is spoken to by gRPC over TLS with the certificate; it ends with the test.
func StartGRPC(tb testing.TB, certificate tls.Certificate) *Collector {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	c := &Collector{URL: "https://" + listener.Addr().String(), changed: make(chan struct{})}
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	collectortrace.RegisterTraceServiceServer(server, overGRPC{collector: c})
	go func() { _ = server.Serve(listener) }() // it ends with Stop
	tb.Cleanup(server.Stop)
	return c
}

type overGRPC struct {
	collectortrace.UnimplementedTraceServiceServer

	collector *Collector
}

// Export implements the collector's service.
func (o overGRPC) Export(ctx context.Context, export *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	c := o.collector
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	close(c.changed)
	c.changed = make(chan struct{})
	c.headers = make(http.Header)
	sent, _ := metadata.FromIncomingContext(ctx)
	for name, values := range sent {
		c.headers[http.CanonicalHeaderKey(name)] = values
	}
	c.keep(export)
	return &collectortrace.ExportTraceServiceResponse{PartialSuccess: c.advises}, nil
}
