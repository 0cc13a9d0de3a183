package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// misspelled warns about names in the .env file that nobody reads but that nearly are ones that the service reads. The
// environment is not looked at: it holds too much that is others'.
func misspelled(dotenv layer, table []variable) []string {
	known := make(map[string]bool, 2*len(table))
	for _, v := range table {
		known[v.name], known[v.name+"_FILE"] = true, true
	}
	names := slices.Sorted(maps.Keys(known))

	var warnings []string
	for name := range dotenv.values {
		if known[name] {
			continue
		}
		if near := nearest(name, names); near != "" {
			warnings = append(warnings, fmt.Sprintf("%s in %s is not a setting; did you mean %s?", name, dotenv.source, near))
		}
	}
	slices.Sort(warnings)
	return warnings
}

// nearest is the first of the names that another one may be meant to be, or "".
func nearest(name string, names []string) string {
	for _, near := range names {
		if slips(strings.ToUpper(name), near) <= min(2, len(near)/4) {
			return near
		}
	}
	return ""
}

// slips counts the letters left out, added, mistaken or swapped with their neighbor between two names (optimal string
// alignment distance).
func slips(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			mistaken := 1
			if a[i-1] == b[j-1] {
				mistaken = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+mistaken)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
