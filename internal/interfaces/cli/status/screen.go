package status

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"order-processing-service/internal/application/delivery"
)

const (
	// width is how wide a screen is, in characters.
	width = 80
	// maxRows is how many subscribers it shows.
	maxRows = 12
)

// Colors of a terminal.
const (
	plain  = ""
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// line is a line of a screen.
type line struct{ text, color string }

// screen is a report as lines, which are still to be cut to the width.
func (r *Report) screen() []line {
	s := append([]line{r.title()}, r.health()...)
	add := func(name string, parts ...string) {
		s = append(s, line{column(name) + strings.Join(parts, "   "), plain})
	}
	if r.Trouble != "" {
		s = append(s, explained("METRICS", r.Trouble, yellow)...)
	}
	if r.Requests != nil || r.Store != nil || r.Orders != nil || r.Memory != nil {
		s = append(s, line{})
	}
	if q := r.Requests; q != nil {
		add("REQUESTS", perSecond(q.PerSecond), "errors "+share(q.ErrorShare), "p50 "+latency(q.P50Seconds), "p99 "+latency(q.P99Seconds))
		add("", "in flight "+count(q.InFlight), "waiting "+count(q.Waiting), "refused "+perSecond(q.RefusedPerSecond),
			"connections "+count(q.Connections))
		if some(q.RestingConnections) || some(q.Held) {
			add("", "kept away: resting connections "+count(q.RestingConnections), "held requests "+count(q.Held))
		}
	}
	if q := r.Store; q != nil {
		add("STORE", cmp.Or(q.System, unknown), "queue "+count(q.QueueDepth), "commits "+perSecond(q.CommitsPerSecond),
			"p99 "+latency(q.CommitP99Seconds))
	}
	if q := r.Orders; q != nil {
		add("ORDERS", "placed "+perSecond(q.Placed.PerSecond), "since the start "+count(q.Placed.Total))
		if len(q.Moved) > 0 {
			add("", append([]string{"moved to"}, rates(q.Moved)...)...)
		}
	}
	if q := r.Commands; q != nil {
		add("COMMANDS", rates(q.Outcomes)...)
	}
	if q := r.Memory; q != nil {
		add("MEMORY", size(q.ResidentBytes), "of Go "+size(q.GoBytes), "goroutines "+count(q.Goroutines))
	}
	return append(s, r.subscribers()...)
}

// some reports whether there is more than nothing.
func some(v *float64) bool { return v != nil && *v > 0 }

func (r *Report) title() line {
	text := strings.Join(slices.DeleteFunc([]string{"Order Processing Service", r.Version, fit(r.Revision, 12)}, func(s string) bool { return s == "" }), " ")
	return line{ends(text, r.At.Format(time.TimeOnly)+" UTC"), bold}
}

func (r *Report) health() []line {
	switch {
	case !r.Live:
		return explained("NOT LIVE", r.Reason, red)
	case !r.Ready:
		return explained("NOT READY", r.Reason, red)
	}
	text := column("READY") + r.URL
	if r.UptimeSeconds != nil {
		text += "   up " + age(r.UptimeSeconds)
	}
	over := ""
	if r.RatesOver != nil {
		over = "rates over " + age(r.RatesOver)
	}
	return []line{{ends(text, over), green}}
}

// column is the name that stands before a line.
func column(name string) string { return fmt.Sprintf("%-11s", name) }

// explained is a name with a longer text, on as many lines as that takes.
func explained(name, text, color string) []line {
	var lines []line
	for _, part := range wrap(text, width-len(column(""))) {
		lines = append(lines, line{column(name) + part, color})
		name = ""
	}
	return lines
}

// ends puts one text at the beginning of a line and another at its end, if there is room for both.
func ends(left, right string) string {
	if room := width - len([]rune(left)) - len([]rune(right)); room > 0 {
		return left + strings.Repeat(" ", room) + right
	}
	return left
}

// steps are the statuses and outcomes in the order in which they are shown; others come behind.
var steps = []string{
	"paid", "shipped", "delivered", "canceled",
	"applied", "repeated", "early", "failed", "dead_lettered",
}

// rates writes counters by name.
func rates(counters map[string]Counter) []string {
	place := func(name string) int {
		if i := slices.Index(steps, strings.ToLower(name)); i >= 0 {
			return i
		}
		return len(steps)
	}
	names := slices.SortedFunc(maps.Keys(counters), func(a, b string) int { return cmp.Or(place(a)-place(b), cmp.Compare(a, b)) })
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = name + " " + perSecond(counters[name].PerSecond)
	}
	return texts
}

func (r *Report) subscribers() []line {
	if len(r.Deliveries) == 0 {
		return nil
	}
	const columns = "%-22s %8s %9s %9s %8s %8s  %s"
	lines := []line{{}, {fmt.Sprintf(columns, "SUBSCRIBER", "TOLD/S", "WAITING", "OLDEST", "PARKED", "IN HAND", ""), bold}}
	for i, d := range r.Deliveries {
		if i == maxRows {
			return append(lines, line{text: fmt.Sprintf("... and %d more; --json has them all", len(r.Deliveries)-i)})
		}
		note, color := "", plain
		if some(d.Parked) {
			color = yellow
		}
		if d.Away != nil && *d.Away {
			note, color = "AWAY", yellow
		}
		text := fmt.Sprintf(columns, fit(d.Subscriber, 22), count(d.ToldPerSecond), upToBound(d.Waiting), age(d.OldestAgeSeconds),
			upToBound(d.Parked), count(d.InHand), note)
		lines = append(lines, line{text, color})
	}
	return lines
}

// upToBound writes a number that is counted up to a bound.
func upToBound(v *float64) string {
	if v != nil && *v >= delivery.MaxBacklog {
		return count(v) + "+"
	}
	return count(v)
}

// Screen says how a report is shown.
type Screen struct {
	// Color has what matters stand out, on a terminal.
	Color bool
	// Redraw has each report take the place of the one before, on a terminal that is so many lines high; 0 writes one behind the other.
	Redraw int

	drawn bool
}

// Show writes a report.
func (s *Screen) Show(w io.Writer, r *Report) error {
	lines := r.screen()
	if s.Redraw > 1 && len(lines) >= s.Redraw {
		left := len(lines) - s.Redraw + 2
		lines = append(lines[:s.Redraw-2], line{text: fmt.Sprintf("... and %d more lines", left)})
	}
	var b strings.Builder
	switch {
	case s.Redraw > 0 && !s.drawn:
		b.WriteString("\x1b[2J\x1b[H")
	case s.Redraw > 0:
		b.WriteString("\x1b[H")
	case s.drawn:
		b.WriteString("\n")
	}
	s.drawn = true
	for _, l := range lines {
		text := strings.TrimRight(fit(l.text, width), " ")
		if s.Color && l.color != plain && text != "" {
			text = l.color + text + reset
		}
		b.WriteString(text)
		if s.Redraw > 0 {
			b.WriteString("\x1b[K") // what stood there before
		}
		b.WriteString("\n")
	}
	if s.Redraw > 0 {
		b.WriteString("\x1b[J")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the screen: %w", err)
	}
	return nil
}
