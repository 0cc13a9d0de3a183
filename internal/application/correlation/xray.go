package correlation

import "strings"

// ParseTraceHeader reads a trace in the form that AWS X-Ray has it, "Root=1-…-…;Parent=…;Sampled=1": the sender's span,
// which is the parent of the receiver's own (see Trace.NewSpan). Without a parent, as load balancers send it, a span is
// made up. It is false where there is no trace in it.
func ParseTraceHeader(header string) (Trace, bool) {
	const epoch, random = 8, 24 // hexadecimal digits of a root
	var t Trace
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Root":
			version, id, _ := strings.Cut(value, "-")
			first, second, _ := strings.Cut(id, "-")
			if version != "1" || len(first) != epoch || len(second) != random {
				return Trace{}, false
			}
			t.TraceID = strings.ToLower(first + second)
		case "Parent":
			if value = strings.ToLower(value); len(value) == 16 && isID(value) {
				t.SpanID = value
			}
		case "Sampled":
			if value == "1" {
				t.Flags = FlagSampled
			}
		}
	}
	if t.TraceID == "" || !isID(t.TraceID) {
		return Trace{}, false
	}
	if t.SpanID == "" {
		t = t.NewSpan()
	}
	return t, true
}
