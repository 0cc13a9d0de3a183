package importing

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseQuantity reads a whole number; "6.0" is one, as spreadsheets and data frames write it.
func parseQuantity(text string) (int64, bool) {
	text = trimBlanks(text)
	if whole, fraction, has := strings.Cut(text, "."); has && whole != "" && fraction != "" && strings.Trim(fraction, "0") == "" {
		text = whole
	}
	if strings.HasPrefix(text, "+") {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// defaultLayouts are tried in turn when no layout is given. None can be taken for another.
var defaultLayouts = []string{
	time.RFC3339, // with or without fractions of a second, like all of them
	"2006-01-02 15:04:05Z07:00",
	time.DateTime,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04",
	"2006-01-02T15:04",
	time.DateOnly,
}

// dates reads dates. It remembers the last one, since lines of one order mostly share theirs.
type dates struct {
	layouts  []string
	location *time.Location

	text string
	date time.Time
	err  error
}

func newDates(o *Options) dates {
	layouts := defaultLayouts
	if o.DateLayout != "" {
		layouts = []string{o.DateLayout}
	}
	return dates{layouts: layouts, location: o.Location}
}

// parse reads a date; "" is the zero time.
func (d *dates) parse(text string) (time.Time, error) {
	if text != d.text {
		d.text = text
		d.date, d.err = d.read(trimBlanks(text))
	}
	return d.date, d.err
}

func (d *dates) read(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range d.layouts {
		if date, err := time.ParseInLocation(layout, text, d.location); err == nil {
			return date, nil
		}
	}
	if len(d.layouts) == 1 {
		return time.Time{}, fmt.Errorf("placed_at %.60q is not a date of the layout %q", text, d.layouts[0])
	}
	return time.Time{}, fmt.Errorf("placed_at %.60q is not a date such as 2026-01-15T09:30:00Z or 2026-01-15 09:30:00: "+
		"give its layout with --date-layout", text)
}
