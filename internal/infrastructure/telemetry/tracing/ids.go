package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// xrayIDs makes ids as AWS X-Ray wants them: that of a trace begins with its time, in Unix seconds, and has 96 random bits.
type xrayIDs struct{ now func() time.Time }

// NewIDs implements the SDK's IDGenerator.
func (x xrayIDs) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	binary.BigEndian.PutUint32(id[:4], uint32(x.now().Unix())) //nolint:gosec // until the year 2106
	binary.BigEndian.PutUint32(id[4:8], rand.Uint32())         //nolint:gosec // an id is no secret
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())          //nolint:gosec // an id is no secret
	return id, x.NewSpanID(ctx, id)
}

// NewSpanID implements the SDK's IDGenerator.
func (xrayIDs) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	for !id.IsValid() {
		binary.BigEndian.PutUint64(id[:], rand.Uint64()) //nolint:gosec // an id is no secret
	}
	return id
}
