package importing

import (
	"fmt"
	"strings"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

const (
	// wholeOrder stands for no line in particular.
	wholeOrder = -1

	referenceMissing = "reference is required: lines without one belong to no order"
	otherContent     = "an order with this reference is there already with other content; it is left as it is"
)

// reasons is why an order is refused: what is wrong with each of its records, and with the whole.
type reasons struct {
	entries []entry
	whole   []string
	lines   map[int][]string // by index in entries
}

func newReasons(entries []entry) *reasons {
	return &reasons{entries: entries, lines: make(map[int][]string)}
}

func (r *reasons) order(reason string)       { r.whole = append(r.whole, reason) }
func (r *reasons) line(i int, reason string) { r.lines[i] = append(r.lines[i], reason) }
func (r *reasons) any() bool                 { return len(r.whole) > 0 || len(r.lines) > 0 }

// faults notes each field at fault, for the record i or for wholeOrder. Its location is told without
// the prefix.
func (r *reasons) faults(i int, err error, prefix string) {
	if err == nil {
		return
	}
	f := fault.Of(err)
	fields := f.Fields
	if len(fields) == 0 {
		fields = []fault.Field{{Message: f.Message}}
	}
	for _, field := range fields {
		reason := strings.TrimSpace(strings.TrimPrefix(field.Location, prefix) + " " + field.Message)
		if i == wholeOrder {
			r.order(reason)
		} else {
			r.line(i, reason)
		}
	}
}

// rules holds a draft against the rules of orders.
func rules(d order.Draft, now time.Time) (*order.Order, error) {
	return order.New(order.ID{1}, d, "", order.Stamp{Time: now}) // nobody sees the id
}

// maxLinesNamed is how many lines a reason names.
const maxLinesNamed = 10

// of returns why the record i is refused: for its own reasons and those of the whole order or, when
// there are none, because of which other lines.
func (r *reasons) of(i int) []string {
	all := append(append([]string{}, r.lines[i]...), r.whole...)
	if len(all) > 0 {
		return all
	}
	var b strings.Builder
	named := 0
	for j := range r.entries {
		if len(r.lines[j]) == 0 {
			continue
		}
		named++
		switch {
		case named == 1:
			fmt.Fprintf(&b, "refused with its order: see line %d", r.entries[j].line)
		case named <= maxLinesNamed:
			fmt.Fprintf(&b, ", %d", r.entries[j].line)
		}
	}
	if named > maxLinesNamed {
		fmt.Fprintf(&b, " and %d more", named-maxLinesNamed)
	}
	return []string{b.String()}
}
