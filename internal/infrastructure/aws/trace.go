package aws

import "order-processing-service/internal/application/correlation"

// TraceHeader is a W3C traceparent in the form that AWS X-Ray has it, and AWS passes on: "Root=1-…;Parent=…;Sampled=1". It
// is empty when there is no trace.
func TraceHeader(traceparent string) string {
	t, _ := correlation.ParseTraceparent(traceparent)
	return t.XRay()
}
