package tracing

import (
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// samplerOf is the sampler that OTEL_TRACES_SAMPLER names.
func samplerOf(name string, ratio float64) sdk.Sampler {
	switch name {
	case "always_on":
		return sdk.AlwaysSample()
	case "always_off":
		return sdk.NeverSample()
	case "traceidratio":
		return sdk.TraceIDRatioBased(ratio)
	case "parentbased_always_off":
		return sdk.ParentBased(linked{sdk.NeverSample()})
	case "parentbased_traceidratio":
		return sdk.ParentBased(linked{sdk.TraceIDRatioBased(ratio)})
	default:
		return sdk.ParentBased(linked{sdk.AlwaysSample()})
	}
}

// linked decides about spans without a parent. One that is linked to spans which are recorded goes on with their story, though it
// is a trace of its own: it is recorded as well. Otherwise the sampler below decides.
type linked struct{ sdk.Sampler }

// ShouldSample implements sdk.Sampler.
func (l linked) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	for i := range p.Links {
		if p.Links[i].SpanContext.IsSampled() {
			return sdk.SamplingResult{Decision: sdk.RecordAndSample, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
		}
	}
	return l.Sampler.ShouldSample(p)
}

// Description implements sdk.Sampler.
func (l linked) Description() string { return "Linked{" + l.Sampler.Description() + "}" }
