package config

import (
	"slices"
	"strconv"
	"strings"
)

// ExportsTraces tells whether traces are recorded and sent to a collector.
func (c *Config) ExportsTraces() bool { return c.OTelEndpoint != "" && c.OTelTraces == "otlp" }

// SamplerRatio is OTEL_TRACES_SAMPLER_ARG: 1 unless it is set.
func (c *Config) SamplerRatio() float64 {
	ratio, err := strconv.ParseFloat(c.OTelSamplerArg, 64)
	if err != nil { // it is empty: others were refused
		return 1
	}
	return ratio
}

// Propagates tells whether OTEL_PROPAGATORS names a propagator.
func (c *Config) Propagates(name string) bool {
	return slices.Contains(strings.Split(c.OTelPropagators, ","), name)
}
