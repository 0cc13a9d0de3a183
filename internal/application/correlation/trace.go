package correlation

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// The flags of a Trace that the W3C Trace Context recommendation defines.
const (
	FlagSampled byte = 1 << iota // the caller may have recorded the trace
	FlagRandom                   // the trace id is random (level 2 of the recommendation)
)

// Trace is a place in a distributed trace, as W3C Trace Context (level 2) has it. The zero Trace is none.
type Trace struct {
	TraceID string // 32 lower-case hexadecimal digits, not all zero
	SpanID  string // 16 lower-case hexadecimal digits, not all zero: the span that this work is; "" if the caller named none
	Flags   byte
}

// Valid tells whether there is a trace.
func (t Trace) Valid() bool { return t.TraceID != "" }

// NewTrace begins a trace. It asks for no recording.
func NewTrace() Trace {
	ids := randomHex(16 + 8)
	return Trace{TraceID: ids[:32], SpanID: ids[32:], Flags: FlagRandom}
}

// NewSpan is a new span of the same trace, for work that t's span caused.
func (t Trace) NewSpan() Trace {
	t.SpanID = randomHex(8)
	return t
}

// Traceparent is the trace as the traceparent header has it; empty for the zero Trace, and without a span.
func (t Trace) Traceparent() string {
	if !t.Valid() || t.SpanID == "" {
		return ""
	}
	return "00-" + t.TraceID + "-" + t.SpanID + "-" + hex.EncodeToString([]byte{t.Flags & (FlagSampled | FlagRandom)})
}

// Recorded is Traceparent if the caller may have recorded the trace; else nobody would find anything under it, and it is
// empty.
func (t Trace) Recorded() string {
	if t.Flags&FlagSampled == 0 {
		return ""
	}
	return t.Traceparent()
}

// Lengths of a traceparent header of version 00, "00-<trace id>-<span id>-<flags>".
const (
	traceIDEnd     = 3 + 32
	spanIDEnd      = traceIDEnd + 1 + 16
	traceparentLen = spanIDEnd + 1 + 2
)

// ParseTraceparent reads a traceparent header: the caller's span, which is the parent of the receiver's own (see
// Trace.NewSpan). It is false for a header that the recommendation says to ignore. Of a version that is not known yet,
// the part that version 00 defines is read.
func ParseTraceparent(header string) (Trace, bool) {
	if len(header) < traceparentLen || header[2] != '-' || header[traceIDEnd] != '-' || header[spanIDEnd] != '-' {
		return Trace{}, false
	}
	version, ok := flagByte(header[:2])
	if !ok || version == 0xff {
		return Trace{}, false
	}
	if len(header) > traceparentLen && (version == 0 || header[traceparentLen] != '-') {
		return Trace{}, false
	}
	t := Trace{TraceID: header[3:traceIDEnd], SpanID: header[traceIDEnd+1 : spanIDEnd]}
	flags, ok := flagByte(header[spanIDEnd+1 : traceparentLen])
	if !ok || !isID(t.TraceID) || !isID(t.SpanID) {
		return Trace{}, false
	}
	t.Flags = flags & (FlagSampled | FlagRandom)
	return t, true
}

// isID tells whether s is lower-case hexadecimal and not all zero.
func isID(s string) bool { return lowerHex(s) && strings.Trim(s, "0") != "" }

func lowerHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func flagByte(s string) (byte, bool) {
	if !lowerHex(s) {
		return 0, false
	}
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 1 {
		return 0, false
	}
	return b[0], true
}

// randomHex gives n random bytes, at most 24, in hexadecimal. No part of it is all zero, as far as chance goes: 64 bits
// are enough that it never happens.
func randomHex(n int) string {
	var b [24]byte
	var text [2 * len(b)]byte
	_, _ = rand.Read(b[:n]) // never fails
	return string(text[:hex.Encode(text[:], b[:n])])
}
