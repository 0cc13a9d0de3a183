// Package otlp says where telemetry is pushed to, and whose it is: what metrics and traces share.
package otlp

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Target is where telemetry is pushed to.
type Target struct {
	// Endpoint is the address of a collector, with http:// or https://.
	Endpoint string
	// GRPC says to speak gRPC; else it is HTTP with protobuf.
	GRPC bool
	// Headers go with each push.
	Headers map[string]string
	// TLS is how to speak TLS with it; nil for the system's way.
	TLS *tls.Config
}

// URL is where a signal ("metrics", "traces") is posted to over HTTP.
func (t Target) URL(signal string) string {
	return strings.TrimSuffix(t.Endpoint, "/") + "/v1/" + signal
}

// maxCertificates is how large a file of certificates may be, in bytes.
const maxCertificates = 1 << 20

// TrustFile returns how to speak TLS with a collector whose certificate is of one of the authorities in a PEM file.
func TrustFile(path string) (*tls.Config, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the authorities of the collector: %w", err)
	}
	if info.Size() > maxCertificates {
		return nil, errors.New("read the authorities of the collector: " + path + " is too large")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the authorities of the collector: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("read the authorities of the collector: " + path + " has no certificate in PEM form")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// Service is whose telemetry it is.
type Service struct {
	// Name and Version are those of the program; Attributes may give another name.
	Name, Version string
	// Attributes are what the operator says of it besides.
	Attributes map[string]string
}

// Resource describes a service to those who get its telemetry. All calls in a process name the same
// instance of it, and those in another process another: what two processes count must not be taken for the same.
func Resource(ctx context.Context, s Service) (*resource.Resource, error) {
	attributes := []attribute.KeyValue{
		attribute.String("service.name", cmp.Or(s.Attributes["service.name"], s.Name)),
		attribute.String("service.version", s.Version),
		attribute.String("service.instance.id", instance()),
	}
	for key, value := range s.Attributes {
		attributes = append(attributes, attribute.String(key, value))
	}
	r, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attributes...))
	if err != nil {
		return nil, fmt.Errorf("describe the service: %w", err)
	}
	return r, nil
}

// instance is a UUID of random bits (RFC 9562, version 4), one for the process.
//
//nolint:gochecknoglobals // it is of the process
var instance = sync.OnceValue(func() string {
	var id [16]byte
	rand.Read(id[:]) // it never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
})
