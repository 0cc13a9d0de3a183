package importing

import (
	"order-processing-service/internal/domain/order"
)

const (
	// maxOrderText is how much text the lines of one order may have together, in bytes, so that an
	// order can always be held in memory. It is far beyond what the rules on fields allow.
	maxOrderText = 8 << 20
	// Memory for records is taken in chunks that grow with the table, between these sizes in bytes.
	firstChunk, largestChunk = 16 << 10, 1 << 20
	// Why the lines of an order are refused without being held.
	tooManyLines = "the order has more than 1,000 lines; split it" // order.MaxLines
	tooMuchText  = "the lines of the order come to more than 8 MiB of text; split it"
	// What a record and a group cost beside their text, in bytes, roughly.
	recordCost = 16
	groupCost  = 160
)

// table holds records in memory, by reference, in the order in which each reference was first seen.
// Records lie one behind the other in large chunks, as appendRecord writes them, so that millions
// cost the garbage collector nothing.
type table struct {
	chunks  [][]byte
	records []slot
	groups  []group
	byKey   map[string]int32
	last    int32 // the group of the record before: most files keep lines together
	size    int   // memory used, in bytes
}

// slot says where a record lies, and which one comes next in its group.
type slot struct {
	chunk, offset int32
	next          int32 // -1 at the end
}

// group is the records of one reference, or one record without.
type group struct {
	key         string // "" for a record without a reference, which is alone
	first, last int32  // -1 when there are none
	count       int
	size        int
	// refused is why every record of the group is refused at once; "" when they are held.
	refused string
}

func newTable() *table { return &table{byKey: make(map[string]int32), last: -1} }

// at returns the group for a reference; an empty one always gets a new group.
func (t *table) at(key []byte) *group {
	if t.last >= 0 && len(key) > 0 && t.groups[t.last].key == string(key) {
		return &t.groups[t.last]
	}
	i, known := int32(0), false
	if len(key) > 0 {
		i, known = t.byKey[string(key)]
	}
	if !known {
		i = int32(len(t.groups)) //nolint:gosec // memory ends long before
		t.groups = append(t.groups, group{key: string(key), first: -1, last: -1})
		t.size += groupCost + len(key)
		if len(key) > 0 {
			t.byKey[t.groups[i].key] = i
		}
	}
	t.last = i
	return &t.groups[i]
}

// add holds an encoded record in the group of its reference. When that makes the group too large,
// none of its records is held any more, and drop is called with each that was and with this one.
// Records that come later are dropped at once. The error is that of drop.
func (t *table) add(encoded []byte, drop dropFunc) error {
	g := t.at(decodeKey(encoded))
	if g.refused != "" {
		return drop(encoded, g.refused)
	}
	g.count++
	g.size += len(encoded)
	switch {
	case g.count > order.MaxLines:
		g.refused = tooManyLines
	case g.size > maxOrderText:
		g.refused = tooMuchText
	default:
		t.hold(g, encoded)
		return nil
	}
	for i := g.first; i >= 0; i = t.records[i].next {
		if err := drop(t.text(i), g.refused); err != nil {
			return err
		}
	}
	g.first, g.last = -1, -1
	return drop(encoded, g.refused)
}

// dropFunc takes a record that is not held, and why.
type dropFunc func(encoded []byte, reason string) error

func (t *table) hold(g *group, encoded []byte) {
	n := len(t.chunks)
	if n == 0 || cap(t.chunks[n-1])-len(t.chunks[n-1]) < len(encoded)+sizePrefix {
		t.chunks = append(t.chunks, make([]byte, 0, max(min(max(firstChunk, t.size), largestChunk), len(encoded)+sizePrefix)))
		n++
	}
	chunk := t.chunks[n-1]
	i := int32(len(t.records))                                                                    //nolint:gosec // memory ends long before
	t.records = append(t.records, slot{chunk: int32(n - 1), offset: int32(len(chunk)), next: -1}) //nolint:gosec // as above
	t.chunks[n-1] = appendSized(chunk, encoded)
	t.size += len(encoded) + recordCost
	if g.first < 0 {
		g.first = i
	} else {
		t.records[g.last].next = i
	}
	g.last = i
}

// sizePrefix is the most that appendSized writes before the text.
const sizePrefix = 10

// text returns an encoded record. It must not be changed.
func (t *table) text(i int32) []byte {
	s := t.records[i]
	return cutSized(t.chunks[s.chunk][s.offset:])
}

// entries decodes the records of groups, those of each group in turn.
func (t *table) entries(groups []group) [][]entry {
	records := 0
	for i := range groups {
		records += groups[i].count
	}
	all := make([]entry, 0, records)
	var fields []string
	byGroup := make([][]entry, len(groups))
	for i := range groups {
		first := len(all)
		for j := groups[i].first; j >= 0; j = t.records[j].next {
			var e entry
			e, fields = decodeRecord(t.text(j), fields)
			if len(all) == 0 {
				fields = make([]string, 0, records*len(e.fields)) // mostly all have as many
			}
			all = append(all, e)
		}
		byGroup[i] = all[first:len(all):len(all)]
	}
	return byGroup
}
