package config

import (
	"cmp"
	"errors"
	"net/url"
	"strings"
	"time"
)

// The bounds of what OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS hold, in bytes.
const (
	maxPairKey   = 256
	maxPairValue = 4_096
)

// ResourceAttributes are the pairs of OTEL_RESOURCE_ATTRIBUTES, with the name that OTEL_SERVICE_NAME gives the service.
func (c *Config) ResourceAttributes() map[string]string {
	all, _ := pairs(c.OTelResourceAttributes) // checked by Load
	if all == nil {
		all = make(map[string]string)
	}
	if name := cmp.Or(c.OTelServiceName, all["service.name"]); name != "" {
		all["service.name"] = name
	}
	return all
}

// OTLPHeaders are the pairs of OTEL_EXPORTER_OTLP_HEADERS.
func (c *Config) OTLPHeaders() map[string]string {
	all, _ := pairs(string(c.OTelHeaders)) // checked by Load
	return all
}

// PushesMetrics tells whether metrics are sent to a collector.
func (c *Config) PushesMetrics() bool { return c.OTelEndpoint != "" && c.OTelMetrics == "otlp" }

// MetricInterval is OTEL_METRIC_EXPORT_INTERVAL.
func (c *Config) MetricInterval() time.Duration {
	return time.Duration(c.OTelMetricInterval) * time.Millisecond
}

// checkOTel holds the rules about where telemetry goes.
func (l *loading) checkOTel() {
	if _, err := pairs(l.OTelResourceAttributes); err != nil {
		l.reject("OTEL_RESOURCE_ATTRIBUTES")
	}
	if all, err := pairs(string(l.OTelHeaders)); err != nil || !areHeaders(all) {
		l.reject("OTEL_EXPORTER_OTLP_HEADERS")
	}
	switch u, err := url.Parse(l.OTelEndpoint); {
	case err == nil && u.User != nil:
		l.object("OTEL_EXPORTER_OTLP_ENDPOINT", errors.New( // without its value, which has a password in it
			"OTEL_EXPORTER_OTLP_ENDPOINT must have no user and no password in it; give the header that the collector asks for in OTEL_EXPORTER_OTLP_HEADERS"))
	case l.OTelEndpoint != "" && !isEndpoint(l.OTelEndpoint):
		l.reject("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	l.need(l.OTelCertificate == "" || strings.HasPrefix(l.OTelEndpoint, "https://"), "OTEL_EXPORTER_OTLP_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_CERTIFICATE needs an OTEL_EXPORTER_OTLP_ENDPOINT that begins with https://; give that, or leave the file out")
	if strings.HasPrefix(l.MetricsEMFNamespace, "AWS/") {
		l.reject("METRICS_EMF_NAMESPACE")
	}
}

// isEndpoint tells whether the text is an address of http or https with nothing behind its path.
func isEndpoint(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.RawQuery == "" && u.Fragment == ""
}

// pairs reads a list of key=value with commas between them, in which values may have escapes such as %2C, as the W3C's baggage.
func pairs(text string) (map[string]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil //nolint:nilnil // there are none
	}
	members := strings.Split(text, ",")
	if len(members) > maxListed {
		return nil, errors.New("too many pairs")
	}
	all := make(map[string]string, len(members))
	for _, member := range members {
		key, escaped, ok := strings.Cut(member, "=")
		key = strings.TrimSpace(key)
		value, err := url.PathUnescape(strings.TrimSpace(escaped))
		if !ok || err != nil || key == "" || len(key) > maxPairKey || len(value) > maxPairValue || !isPrintable(key+value) {
			return nil, errors.New("no pair")
		}
		all[key] = value
	}
	return all, nil
}

func isPrintable(text string) bool {
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return true
}

// areHeaders tells whether all can be header fields.
func areHeaders(all map[string]string) bool {
	for name := range all {
		for _, r := range name {
			isToken := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
			if !isToken {
				return false
			}
		}
	}
	return true
}
