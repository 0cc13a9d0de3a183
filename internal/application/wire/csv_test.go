package wire_test

import (
	"strings"
	"testing"

	"order-processing-service/internal/application/wire"
)

func TestGuardCell(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "TEA": "TEA", "c-1": "c-1", "a=b": "a=b", "O'Neill": "O'Neill", "'quoted'": "'quoted'", "'": "'", "1-2": "1-2", "é": "é",
		"=1+1": "'=1+1", "+49 30 1234": "'+49 30 1234", "-5": "'-5", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\r\nx": "'\r\nx",
		"=": "'=", "'=1": "''=1", "''@x": "'''@x", "＝1": "'＝1",
	} {
		if got := wire.GuardCell(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func FuzzGuardCell(f *testing.F) {
	for _, text := range []string{"", "TEA", "=1", "'=1", "''", "'", "-'", "＠", "\xff="} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		guarded := wire.GuardCell(text)
		if back := wire.UnguardCell(guarded); back != text {
			t.Errorf("%q came back as %q", text, back)
		}
		if guarded != "" && strings.ContainsAny(guarded[:1], "=+-@\t\r\n") {
			t.Errorf("%q would be run", guarded)
		}
	})
}
