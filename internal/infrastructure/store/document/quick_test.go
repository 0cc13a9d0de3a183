package document_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/infrastructure/store/document"
)

// plain returns the text of an order in which every stored field says something and nothing is escaped.
func plain(t testing.TB) string {
	t.Helper()
	s := full(t)
	s.Reference, s.Metadata, s.PlacedAt = "A-17 é 漢", map[string]string{"a": "x", "b": ""}, time.UnixMilli(1)
	return string(document.AppendOrder(nil, &s))
}

// sameOrder wants what is read quickly to be what is read otherwise; it reports whether it was read quickly.
func sameOrder(t *testing.T, text string) bool {
	t.Helper()
	quick, ok := document.QuickOrder(id(1), text)
	if !ok {
		return false
	}
	s, err := document.AnyOrder(id(1), []byte(text))
	if err != nil {
		t.Fatalf("%q is read quickly, but: %v", text, err)
	}
	if diff := cmp.Diff(s, quick, values); diff != "" {
		t.Fatalf("%q is read otherwise: %s", text, diff)
	}
	return true
}

func TestQuickOrder(t *testing.T) {
	text := plain(t)
	if !sameOrder(t, text) {
		t.Errorf("%s is not read quickly", text)
	}
	for i := range text {
		sameOrder(t, text[:i])
		sameOrder(t, text[:i]+text[i+1:])
		for _, c := range []string{"0", `"`, `\`, ",", "}", "]", " ", "\x00", "\xff"} {
			sameOrder(t, text[:i]+c+text[i+1:])
		}
	}
}

func FuzzQuickOrder(f *testing.F) {
	f.Add(plain(f))
	f.Fuzz(func(t *testing.T, text string) { sameOrder(t, text) })
}
