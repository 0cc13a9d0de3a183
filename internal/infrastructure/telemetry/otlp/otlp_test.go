package otlp_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"

	"order-processing-service/internal/infrastructure/telemetry/otlp"
)

func TestURL(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4318": "http://127.0.0.1:4318/v1/metrics", "https://c.example/": "https://c.example/v1/metrics",
		"https://c.example/base/": "https://c.example/base/v1/metrics",
	} {
		if got := (otlp.Target{Endpoint: endpoint}).URL("metrics"); got != want {
			t.Errorf("%s: metrics go to %s, not %s", endpoint, got, want)
		}
	}
}

func TestResource(t *testing.T) {
	of := func(s otlp.Service) *resource.Resource {
		r, err := otlp.Resource(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	get := func(r *resource.Resource, key attribute.Key) string {
		v, _ := r.Set().Value(key)
		return v.AsString()
	}
	plain := of(otlp.Service{Name: "orders", Version: "1.2.3"})
	if get(plain, "service.name") != "orders" || get(plain, "service.version") != "1.2.3" || get(plain, "telemetry.sdk.name") != "opentelemetry" {
		t.Errorf("it says %v", plain)
	}
	id := regexp.MustCompile("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
	if one, other := get(plain, "service.instance.id"), get(of(otlp.Service{Name: "orders"}), "service.instance.id"); !id.MatchString(one) || one != other {
		t.Errorf("one process is %s and %s", one, other)
	}
	told := of(otlp.Service{Name: "orders", Version: "1", Attributes: map[string]string{
		"service.name": "orders-eu", "service.instance.id": "i-1", "deployment.environment.name": "test",
	}})
	if get(told, "service.name") != "orders-eu" || get(told, "service.instance.id") != "i-1" || get(told, "deployment.environment.name") != "test" {
		t.Errorf("what the operator says is not in %v", told)
	}
}

func TestTrustFile(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"empty.pem": "", "large.pem": strings.Repeat("x", 2<<20)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := otlp.TrustFile(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := otlp.TrustFile(filepath.Join(dir, "missing.pem")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
