package main

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMedianAndSpread(t *testing.T) {
	for name, test := range map[string]struct {
		values            figures
		median, low, high float64
	}{
		"one":  {figures{3}, 3, 3, 3},
		"odd":  {figures{9, 1, 5}, 5, 1, 9},
		"even": {figures{4, 1, 2, 8}, 3, 1, 8},
	} {
		t.Run(name, func(t *testing.T) {
			before := append(figures(nil), test.values...)
			low, high := test.values.spread()
			if got := test.values.median(); got != test.median || low != test.low || high != test.high {
				t.Errorf("got %v, %v to %v; want %v, %v to %v", got, low, high, test.median, test.low, test.high)
			}
			if diff := cmp.Diff(before, test.values); diff != "" {
				t.Errorf("the rounds are in another order (-want +got):\n%s", diff)
			}
		})
	}
	if low, high := figures(nil).spread(); !math.IsNaN(low) || !math.IsNaN(high) || !math.IsNaN(figures(nil).median()) {
		t.Error("nothing measured has a median or a spread")
	}
}

func TestRatiosAreTakenRoundByRound(t *testing.T) {
	got := figures{1, 6, 10}.over(figures{2, 3, 4, 5})
	if diff := cmp.Diff(figures{0.5, 2, 2.5}, got); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for name, test := range map[string]struct {
		sorted []time.Duration
		share  float64
		want   time.Duration
	}{
		"none":   {nil, 0.99, 0},
		"one":    {hundred[:1], 0.5, 1},
		"p50":    {hundred, 0.50, 50},
		"p99":    {hundred, 0.99, 99},
		"all":    {hundred, 1, 100},
		"of ten": {hundred[:10], 0.99, 10},
	} {
		t.Run(name, func(t *testing.T) {
			if got := percentile(test.sorted, test.share); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -123: "-123", -1234: "-1,234"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}
