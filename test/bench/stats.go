package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// figures are the values of one measurement, a value a round, in the order of the rounds.
type figures []float64

// median returns the middle value, or the mean of the two in the middle; NaN of none.
func (f figures) median() float64 {
	if len(f) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(f))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread returns the least and the greatest value; NaN of none.
func (f figures) spread() (least, most float64) {
	if len(f) == 0 {
		return math.NaN(), math.NaN()
	}
	return slices.Min(f), slices.Max(f)
}

// over returns, round by round, the values of f over those of other.
func (f figures) over(other figures) figures {
	ratios := make(figures, min(len(f), len(other)))
	for i := range ratios {
		ratios[i] = f[i] / other[i]
	}
	return ratios
}

// percentile returns the smallest of the sorted values that at least share of them do not exceed; share is above 0 and
// at most 1. It is 0 of no values.
func percentile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// grouped writes a whole number with commas: 1,000,000.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// perSecond writes a rate.
func perSecond(rate float64) string { return grouped(int(math.Round(rate))) + "/s" }

// millis writes a time in milliseconds, with what digits it takes to tell two apart.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.2f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
