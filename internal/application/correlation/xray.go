package correlation

import "strings"

// maxXRay bounds what is read of a trace header of X-Ray, in bytes. AWS's own have less than 200.
const maxXRay = 1024

// ParseXRay reads a trace in the form that AWS X-Ray has it, as in the header X-Amzn-Trace-Id:
// "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1". Load balancers begin traces without a span: the
// SpanID is then empty. It is false where a part is malformed or comes twice, or where no trace is named. Parts that it does
// not know are passed over.
func ParseXRay(header string) (Trace, bool) {
	if len(header) > maxXRay {
		return Trace{}, false
	}
	var t Trace
	var root, parent, sampled bool // whether it came
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch {
		case name == "Root" && !root:
			t.TraceID, root = xrayRoot(value)
			if !root {
				return Trace{}, false
			}
		case name == "Parent" && !parent:
			t.SpanID, parent = value, true
			if len(value) != 16 || !isID(value) {
				return Trace{}, false
			}
		case name == "Sampled" && !sampled:
			sampled = true
			if value == "1" { // others are 0, and ? for not decided yet
				t.Flags = FlagSampled
			}
		case name == "Root", name == "Parent", name == "Sampled":
			return Trace{}, false
		}
	}
	if !root {
		return Trace{}, false
	}
	return t, true
}

// xrayRoot reads "1-5759e988-bd862e3fe1be46a994272793".
func xrayRoot(text string) (id string, ok bool) {
	if len(text) != len("1-")+8+1+24 || text[:2] != "1-" || text[10] != '-' {
		return "", false
	}
	id = text[2:10] + text[11:]
	return id, isID(id)
}

// XRay is the trace in the form that ParseXRay reads; empty for the zero Trace.
func (t Trace) XRay() string {
	if !t.Valid() {
		return ""
	}
	text := "Root=" + string(t.AppendXRayRoot(nil))
	if t.SpanID != "" {
		text += ";Parent=" + t.SpanID
	}
	if t.Flags&FlagSampled != 0 {
		return text + ";Sampled=1"
	}
	return text + ";Sampled=0"
}

// AppendXRayRoot appends the trace's id in the form that X-Ray has it: "1-5759e988-bd862e3fe1be46a994272793". There must be a
// trace.
func (t Trace) AppendXRayRoot(b []byte) []byte {
	b = append(append(b, "1-"...), t.TraceID[:8]...)
	return append(append(b, '-'), t.TraceID[8:]...)
}
