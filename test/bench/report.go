package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// limit is what a figure is held against.
type limit struct {
	value   float64
	atLeast bool // else at most
	unit    string
}

func (l limit) String() string {
	sign := "<="
	if l.atLeast {
		sign = ">="
	}
	return sign + " " + l.write(l.value)
}

// write gives a figure its unit: "x" is a ratio.
func (l limit) write(value float64) string {
	switch l.unit {
	case "ms", "MB", "s":
		return fmt.Sprintf("%v %s", math.Round(value*10)/10, l.unit)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

// verdict says whether the value keeps to the limit and, if not, by how much of the limit it misses it.
func (l limit) verdict(value float64) string {
	short := (value - l.value) / l.value
	if l.atLeast {
		short = -short
	}
	if short <= 0 {
		return "met"
	}
	return fmt.Sprintf("missed by %.1f %%", math.Max(short*100, 0.1))
}

// row is a line of the table of limits.
type row struct {
	name  string // what the program calls it
	what  string
	limit limit
	found figures
	why   string // it was not measured
}

// Names of the rows, and of what they belong to.
const (
	rowPost64, rowPost256        = "post-64", "post-256"
	rowPatchStatus, rowPatchMeta = "patch-status", "patch-metadata"
	rowGet, rowTold              = "get", "told"
	rowGrown, rowList            = "grown", "list"
	rowImport                    = "import"
	rowStart, rowMemory          = "start", "memory"
)

// report is what the program finds out.
type report struct {
	title   string
	command string // that finds it out
	machine machine
	how     []string
	rows    []row
	notes   [][2]string // what was measured, the figure: for information
}

// newReport returns a report whose rows are not measured yet; count is of orders in the large store, small in the small.
func newReport(count, small int) *report {
	least := func(value float64) limit { return limit{value: value, atLeast: true} }
	most := func(value float64, unit string) limit { return limit{value: value, unit: unit} }
	sizes := " at " + grouped(count) + " orders vs " + grouped(small)
	rows := []row{
		{name: rowPost64, limit: least(0.45), what: "durable `POST /orders` (3 lines) vs bare `net/http` that decodes and echoes the " +
			"same body, 64 connections"},
		{name: rowPost256, limit: least(0.55), what: "the same at 256 connections"},
		{name: rowPatchStatus, limit: least(0.8), what: "durable `PATCH /orders/{id}` of the status over many orders vs the durable " +
			"`POST`"},
		{name: rowPatchMeta, limit: least(0.8), what: "the same, of the metadata"},
		{name: rowGet, limit: least(0.7), what: "`GET /orders/{id}` on " + grouped(count) + " orders vs bare `net/http` serving the " +
			"same bytes"},
		{name: rowTold, limit: least(0.6), what: "created, event told, manifest kept vs created alone"},
		{name: rowGrown, limit: least(0.8), what: "throughput of `POST /orders`" + sizes},
		{name: rowList, limit: most(1.5, ""), what: "p99 of a list page" + sizes + ", worst filter"},
		{name: rowImport, limit: most(4, ""), what: "time of the import of the whole real file vs that of the `.import` of `sqlite3`"},
		{name: rowStart, limit: most(50, "ms"), what: "start to first answer"},
		{name: rowMemory, limit: most(40, "MB"), what: "resident memory when idle"},
	}
	return reportOf("Benchmarks", "make bench", rows)
}

// newMongoReport returns a report of what is measured on MongoDB.
func newMongoReport() *report {
	return reportOf("Benchmarks on MongoDB", "make bench/mongo", mongoRows())
}

// newOverloadReport returns a report of what happens when there are too many requests.
func newOverloadReport() *report {
	return reportOf("Overload", "make bench/overload",
		append(overloadRows(overloadEmbedded, onEmbedded), overloadRows(overloadOnMongo, onMongoDB)...))
}

func reportOf(title, command string, rows []row) *report {
	for i := range rows {
		rows[i].why = "not asked for"
	}
	return &report{title: title, command: command, rows: rows}
}

// set gives a row its figures.
func (r *report) set(name string, found figures) {
	for i := range r.rows {
		if r.rows[i].name == name {
			r.rows[i].found, r.rows[i].why = found, ""
		}
	}
}

// leave says why rows have no figures; those that have some keep them.
func (r *report) leave(why error, names ...string) {
	for i := range r.rows {
		for _, name := range names {
			if r.rows[i].name == name && len(r.rows[i].found) == 0 {
				r.rows[i].why = oneLine(why.Error())
			}
		}
	}
}

// note keeps a figure that has no limit, in place of an earlier one of the same.
func (r *report) note(what, figure string) {
	for i := range r.notes {
		if r.notes[i][0] == what {
			r.notes[i][1] = figure
			return
		}
	}
	r.notes = append(r.notes, [2]string{what, figure})
}

// write writes the report as Markdown.
func (r *report) write(w io.Writer, now time.Time) error {
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\n", r.title)
	fmt.Fprintf(&text, "What `%s` found on %s. Server and load share the machine.\n\n", r.command, now.UTC().Format(time.DateOnly))
	for _, fact := range r.machine.facts() {
		fmt.Fprintf(&text, "- %s: %s\n", fact[0], fact[1])
	}
	text.WriteString("\n## Limits\n\n| what | aim | measured | spread | verdict |\n| --- | --- | --- | --- | --- |\n")
	for i := range r.rows {
		r.rows[i].write(&text)
	}
	if len(r.notes) > 0 {
		text.WriteString("\n## For information\n\nAbsolute figures depend on the machine and on the minute.\n\n")
		text.WriteString("| what | figure |\n| --- | --- |\n")
		for _, note := range r.notes {
			fmt.Fprintf(&text, "| %s | %s |\n", note[0], note[1])
		}
	}
	text.WriteString("\n## How\n\n")
	for _, line := range r.how {
		fmt.Fprintf(&text, "- %s\n", line)
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *row) write(text *strings.Builder) {
	if len(r.found) == 0 {
		fmt.Fprintf(text, "| %s | %s | not measured: %s | | |\n", r.what, r.limit, r.why)
		return
	}
	median := r.found.median()
	low, high := r.found.spread()
	fmt.Fprintf(text, "| %s | %s | %s | %s to %s | %s |\n", r.what, r.limit,
		r.limit.write(median), r.limit.write(low), r.limit.write(high), r.limit.verdict(median))
}

// oneLine keeps a text from breaking a table.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.ReplaceAll(text, "|", "/")
}

// describe says how the run was made.
func (o *options) describe() []string {
	if o.overload {
		return o.describeOverload()
	}
	if o.mongo != "" {
		return o.describeMongo()
	}
	return []string{
		"The service keeps its orders in its embedded store. [On MongoDB](benchmarks-mongodb.md) it was measured apart.",
		fmt.Sprintf("The sides of a ratio take turns: %d rounds of %s each after a warm-up of %s. Measured is the median of the "+
			"rounds' ratios, spread the least and the greatest. What a side leaves to be written to the disk is synced before the "+
			"next. Pages of lists have rounds of half the length; the import has %d rounds.",
			o.rounds, o.round, o.warmUp, min(o.rounds, importRounds)),
		fmt.Sprintf("Every server is a process of its own on the loopback interface. The service has its default settings "+
			"(LOG_LEVEL %s, its log in a file) but tells nobody (EVENTS and MANIFESTS are none), except where telling, start and "+
			"idle memory are measured. The bare servers run with GOGC=%d, which the service sets to 400 for itself, and with "+
			"encoding/json.", o.logLevel, o.bareGC),
		"The load is one process with connections that are kept open, each with one request at a time; it checks each status " +
			"and id, and some of the orders that were acknowledged are read afterwards. It is the same for both sides, and takes " +
			"its share of the processors from both.",
		fmt.Sprintf("PATCH moves %s orders through PAID, SHIPPED and DELIVERED in no order, or sets a new value of the metadata "+
			"of any of them.", grouped(o.changed)),
		"Orders told count when no delivery waits any more; in the end there must be as many manifests as orders.",
		fmt.Sprintf("At %s orders each round places orders in a fresh copy of the store, which grows while it lasts.", grouped(o.small)),
		fmt.Sprintf("Start: %d starts, the first on a new folder. Memory: the same processes, %s after the first answer.",
			o.starts, o.idle),
	}
}
