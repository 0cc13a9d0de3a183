package mongo

import (
	"strconv"
	"testing"
)

// TestNotedIsBounded speaks of more subjects than are remembered.
func TestNotedIsBounded(t *testing.T) {
	var n noted
	if !n.first("a") || n.first("a") || !n.first("b") {
		t.Error("a subject is spoken of twice, or not at all")
	}
	for i := range 3 * maxNoted {
		if !n.first(strconv.Itoa(i)) {
			t.Fatalf("%d is not new", i)
		}
		if len(n.seen) > maxNoted {
			t.Fatalf("%d subjects are remembered", len(n.seen))
		}
	}
}
