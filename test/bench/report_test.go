package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestVerdict(t *testing.T) {
	for name, test := range map[string]struct {
		limit limit
		value float64
		want  string
	}{
		"enough":     {limit{value: 0.5, atLeast: true}, 0.5, "met"},
		"too little": {limit{value: 0.5, atLeast: true}, 0.4, "missed by 20.0 %"},
		"a hair":     {limit{value: 0.5, atLeast: true}, 0.49999, "missed by 0.1 %"},
		"in time":    {limit{value: 50, unit: "ms"}, 20, "met"},
		"too late":   {limit{value: 50, unit: "ms"}, 60, "missed by 20.0 %"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.limit.verdict(test.value); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestReport(t *testing.T) {
	r := newReport(1_000_000, 10_000)
	r.set(rowPost64, figures{0.4, 0.5, 0.6})
	r.set(rowStart, figures{61, 60, 59})
	r.leave(errors.New("no\nsuch | file"), rowImport, rowStart)
	r.note("store", "1 MB")
	var text strings.Builder
	if err := r.write(&text, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"on 2026-01-02.", "64 connections | >= 0.45 | 0.50 | 0.40 to 0.60 | met |\n",
		"| start to first answer | <= 50 ms | 60 ms | 59 ms to 61 ms | missed by 20.0 % |\n",
		"| <= 4.00 | not measured: no such / file | | |\n", "| <= 40 MB | not measured: not asked for | | |\n", "| store | 1 MB |\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
}
