package metrics

import (
	"context"
	"testing"
)

// Who reads and has left has no say in whether orders are being taken. No scrape can show that: the exporter tells nobody who left.
func TestReadyWithoutItsReader(t *testing.T) {
	left, leave := context.WithCancel(t.Context())
	leave()
	r := &ready{ask: func(ctx context.Context) error { return ctx.Err() }}
	if is, known := r.look(left); is != 1 || !known {
		t.Errorf("it is %d, known %t", is, known)
	}
}
