package aws

import "order-processing-service/internal/application/correlation"

// TraceHeader is a W3C traceparent in the form that AWS X-Ray has it, and AWS passes on: "Root=1-…;Parent=…;Sampled=1". It
// is empty when there is no trace.
func TraceHeader(traceparent string) string {
	t, ok := correlation.ParseTraceparent(traceparent)
	if !ok {
		return ""
	}
	sampled := "0"
	if t.Flags&correlation.FlagSampled != 0 {
		sampled = "1"
	}
	return "Root=1-" + t.TraceID[:8] + "-" + t.TraceID[8:] + ";Parent=" + t.SpanID + ";Sampled=" + sampled
}
