package packageservice

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// digestPattern is a version that is a digest, as it stands in any text.
var digestPattern = regexp.MustCompile(`(?i)` + digestPrefix + `[0-9a-f]{64}`)

// escapePattern is a letter as it may stand in a URL.
var escapePattern = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

// unescaped returns a text as it is once it was a part of a URL. What is no escape stays.
func unescaped(text string) string {
	return escapePattern.ReplaceAllStringFunc(text, func(escape string) string {
		letter, err := url.PathUnescape(escape)
		if err != nil {
			return escape
		}
		return letter
	})
}

// DigestsIn returns the digests of all packages that a text names, sorted, in lower case.
// How the text names them doesn't matter: who looks for what is in use must not miss a
// way to say so.
func DigestsIn(text string) []string {
	var digests []string
	for _, version := range digestPattern.FindAllString(unescaped(text), -1) {
		// A part of the text would keep all of it in memory.
		digests = append(digests, strings.Clone(strings.ToLower(version[len(digestPrefix):])))
	}
	slices.Sort(digests)
	return slices.Compact(digests)
}
