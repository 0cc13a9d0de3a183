package status

import (
	"net/url"
	"time"
)

// ReportOf is the report of a service that told two texts, a second apart. The error says that one of them can't be read.
func ReportOf(first, second string) (*Report, error) {
	before, err := parse([]byte(first))
	if err != nil {
		return nil, err
	}
	after, err := parse([]byte(second))
	if err != nil {
		return nil, err
	}
	now := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	s := &Service{base: &url.URL{Scheme: "http", Host: "127.0.0.1:9464"}}
	return s.Report(
		&Look{at: now, live: true, ready: true, metrics: before},
		&Look{at: now.Add(time.Second), live: true, ready: true, metrics: after},
	), nil
}
