package status

import (
	"math"
	"slices"
	"testing"
)

func TestNumbersInWords(t *testing.T) {
	for _, tt := range []struct {
		write func(*float64) string
		value float64
		want  string
	}{
		{count, 0, "0"},
		{count, 0.3, "0.3"},
		{count, 5, "5"},
		{count, 12.4, "12"},
		{count, 1_234_567, "1,234,567"},
		{count, -1_234, "-1,234"},
		{count, 12_300_000, "12.3M"},
		{count, 1e300, "1e+288T"},
		{size, 500, "500 B"},
		{size, 190e6, "181.2 MiB"},
		{size, -1, "-"},
		{share, 0, "0.00 %"},
		{share, 0.000_01, "<0.01 %"},
		{share, 1, "100.00 %"},
		{latency, 0.000_4, "0.4 ms"},
		{latency, 0.012, "12 ms"},
		{latency, 2.5, "2.5 s"},
		{age, 0, "0s"},
		{age, 0.2, "0.2s"},
		{age, 12, "12s"},
		{age, 754, "12m 34s"},
		{age, 3_725, "1h 2m"},
		{age, 273_901, "3d 4h"},
		{age, math.MaxFloat64, "years"},
	} {
		if got := tt.write(&tt.value); got != tt.want {
			t.Errorf("%v is written %q, want %q", tt.value, got, tt.want)
		}
		if got := tt.write(nil); got != "-" {
			t.Errorf("what is not known is written %q", got)
		}
	}
}

// TestQuantiles are taken to lie evenly in a bucket, and in the last one at its lower bound.
func TestQuantiles(t *testing.T) {
	s := &series{buckets: []bucket{{0.1, 50}, {0.2, 90}, {1, 98}, {math.Inf(1), 100}}}
	for q, want := range map[float64]float64{0: 0, 0.25: 0.05, 0.5: 0.1, 0.7: 0.15, 0.98: 1, 0.99: 1} {
		if got := s.quantile(q); got == nil || *got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	for name, none := range map[string]*series{"no histogram": nil, "no buckets": {}, "no observation": {buckets: []bucket{{1, 0}}}} {
		if got := none.quantile(0.5); got != nil {
			t.Errorf("%s: %v", name, *got)
		}
	}
}

func TestTextsAreTame(t *testing.T) {
	if got := shortened("a\x1b[2J\u202eb\n"); got != "a\ufffd[2J\ufffdb\ufffd" {
		t.Errorf("shortened to %q", got)
	}
	if got := wrap("one two  three four", 9); !slices.Equal(got, []string{"one two", "three", "four"}) {
		t.Errorf("wrapped as %q", got)
	}
	if got := fit("abcdef", 4); got != "abc…" {
		t.Errorf("fitted as %q", got)
	}
}
