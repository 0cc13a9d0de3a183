package archtest_test

import (
	"os"
	"testing"

	"order-processing-service/internal/archtest"
)

// The module keeps its own rules.
func TestModule(t *testing.T) {
	t.Parallel()
	breaches, err := archtest.Check(os.DirFS("../.."))
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	for _, breach := range breaches {
		t.Error(breach)
	}
}
