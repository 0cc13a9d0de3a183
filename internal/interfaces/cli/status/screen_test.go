package status_test

import (
	"strings"
	"testing"

	"order-processing-service/internal/interfaces/cli/status"
)

// TestScreenIsDrawnAnew writes reports to a terminal of few lines.
func TestScreenIsDrawnAnew(t *testing.T) {
	r := &status.Report{Live: true, Ready: true, URL: "http://127.0.0.1:9464", Version: "1.2.3"}
	for _, name := range []string{"a", "b", "c", "d"} {
		r.Deliveries = append(r.Deliveries, status.Deliverer{Subscriber: name, Away: new(true)})
	}
	s := status.Screen{Color: true, Redraw: 7}
	var b strings.Builder
	show := func() string {
		b.Reset()
		if err := s.Show(&b, r); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first := show()
	if !strings.HasPrefix(first, "\x1b[2J\x1b[H") || !strings.Contains(first, "\x1b[32mREADY") || !strings.HasSuffix(first, "\x1b[J") {
		t.Errorf("the first screen is %q", first)
	}
	if lines := strings.Count(first, "\n"); lines != 6 || !strings.Contains(first, "... and 3 more lines") {
		t.Errorf("%d lines on a terminal of 7: %q", lines, first)
	}
	r.Deliveries = nil
	if second := show(); !strings.HasPrefix(second, "\x1b[H") || strings.Contains(second, "\x1b[2J") || strings.Count(second, "\x1b[K") != 2 {
		t.Errorf("the second screen is %q", second)
	}
	s = status.Screen{}
	if plain := show(); strings.Contains(plain, "\x1b") {
		t.Errorf("without a terminal there is %q", plain)
	}
}
