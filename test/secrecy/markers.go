// Package secrecy plants values that stand nowhere else, the markers, in what a program is given, and looks for them in
// what it writes: what is found was not kept to itself.
package secrecy

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// All markers begin with prefix, so that half of one is found too. The digits of number are the same for numbers.
const (
	prefix = "zqmarkzq"
	number = "73109458"
)

// Markers are the values planted so far. They are safe for concurrent use; the zero Markers has none.
type Markers struct {
	mu     sync.Mutex
	places map[string]string // by marker
}

// Text makes a marker of lower-case letters and digits, which every text of the API takes, for a place as people call it.
func (m *Markers) Text(place string) string {
	return m.keep(prefix+strings.ToLower(rand.Text()[:8]), place)
}

// Number makes a marker that is an amount of money.
func (m *Markers) Number(place string) string { return m.keep(number+".25", place) }

func (m *Markers) keep(marker, place string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.places == nil {
		m.places = make(map[string]string)
	}
	m.places[marker] = place
	return marker
}

// anyCase and exact are how a marker may begin when it shows: as it is, in hexadecimal digits, as a number, and in base64, which
// has three ways depending on where it begins.
func anyCase() []string { return []string{prefix, hex.EncodeToString([]byte(prefix))} }

func exact() []string {
	all := []string{number}
	for shift := range 3 {
		whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(".", shift) + prefix))
		all = append(all, whole[(shift*8+5)/6:(shift+len(prefix))*8/6]) // the digits that its neighbors have no part in
	}
	return all
}

// marker is a whole one.
var marker = regexp.MustCompile(prefix + "[a-z0-9]*")

// Sighting is a marker in an output.
type Sighting struct {
	Place string // where it was planted, or what can be said of that
	Line  string
}

func (s Sighting) String() string { return fmt.Sprintf("%s is in: %s", s.Place, s.Line) }

// Seen finds the markers in an output, one sighting for each line and place.
func (m *Markers) Seen(output string) []Sighting {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Sighting
	for line := range strings.Lines(output) {
		for _, place := range m.placesIn(line) {
			all = append(all, Sighting{Place: place, Line: strings.TrimSuffix(line, "\n")})
		}
	}
	return all
}

// placesIn lists where what is seen in a line was planted, each place once.
func (m *Markers) placesIn(line string) []string {
	const unclear = "a marker that is cut or encoded"
	seen, lower := make(map[string]bool), strings.ToLower(line)
	for _, form := range anyCase() {
		if strings.Contains(lower, form) {
			seen[unclear] = true
		}
	}
	for _, form := range exact() {
		if strings.Contains(line, form) {
			seen[unclear] = true
		}
	}
	if !seen[unclear] {
		return nil
	}
	for _, text := range marker.FindAllString(lower, -1) {
		if place, known := m.places[text]; known {
			seen[place] = true
			delete(seen, unclear)
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Planted is how many markers there are.
func (m *Markers) Planted() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.places)
}
