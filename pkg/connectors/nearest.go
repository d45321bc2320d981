package connectors

import (
	"slices"
	"strings"
)

// maxNearest is how many names are suggested.
const maxNearest = 3

// Nearest returns the names that a wrong name may have been meant to be, the likeliest
// first: those that have it, or that it has, in them, then those that few edits turn
// it into.
func (c *Catalogue) Nearest(name string) []string {
	wanted := strings.ToLower(strings.TrimPrefix(name, Prefix))
	if wanted == "" || len(wanted) > maxNameLength {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var candidates []candidate
	for _, entry := range c.All() {
		known := strings.ToLower(entry.Name)
		distance := editDistance(wanted, known)
		if strings.Contains(known, wanted) || strings.Contains(wanted, known) {
			distance = min(distance, 1)
		}
		// More edits than half of the name make any name of any other.
		if distance <= max(len(wanted), len(known))/2 {
			candidates = append(candidates, candidate{entry.Name, distance})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return a.distance - b.distance })
	var nearest []string
	for _, found := range candidates[:min(len(candidates), maxNearest)] {
		nearest = append(nearest, found.name)
	}
	return nearest
}

// editDistance is how many characters have to be added, removed or replaced to make
// b of a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
