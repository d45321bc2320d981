package fieldtable

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const introduction = `# Fields

Where each field of a PulsarFunction (F), PulsarSource (R) and PulsarSink (S) stands in
Function Mesh's custom resource, and who may set it. In paths, [] stands for the items of
a list and {} for the values of a map. This file is made from
pkg/translation/testdata/fields.txt by hack/update-fields.sh.

Who may set a field, beside the right to write the object:

| | |
|---|---|
| free | whoever may write the object |
| customize | who has the verb customize, since it gives a pod more than its author may have |
| secret, configmap, serviceaccount | who may read the Secret or ConfigMap, or use the service account, that it names |
| server | nobody: the server or the operator decides |

`

// Document returns the table for users, in Markdown.
func Document(rows []Row) []byte {
	var text bytes.Buffer
	text.WriteString(introduction)
	section(&text, "Fields of views", rows, Mapped, func(row Row) []string {
		return []string{row.View, row.Path, row.Kinds, row.Setter}
	}, "Field", "In the custom resource", "Kinds", "Who may set it")
	section(&text, "Fields without a place in the custom resource", rows, Kept, func(row Row) []string {
		return []string{row.View, row.Kinds, row.Setter}
	}, "Field, kept in an annotation", "Kinds", "Who may set it")
	section(&text, "Fields of custom resources that views don't show", rows, Preserved, func(row Row) []string {
		return []string{row.Path, row.Kinds}
	}, "Field, preserved", "Kinds")
	section(&text, "Fields of custom resources with which they can't be shown", rows, Refused, func(row Row) []string {
		return []string{row.Path, row.Kinds}
	}, "Field", "Kinds")
	return text.Bytes()
}

func section(text *bytes.Buffer, title string, rows []Row, treatment string, columns func(Row) []string, headings ...string) {
	fmt.Fprintf(text, "## %s\n\n| %s |\n|%s\n", title, strings.Join(headings, " | "), strings.Repeat("---|", len(headings)))
	var lines [][]string
	for _, row := range rows {
		if row.Treatment == treatment {
			lines = append(lines, columns(row))
		}
	}
	slices.SortStableFunc(lines, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	for _, line := range lines {
		fmt.Fprintf(text, "| %s |\n", strings.Join(line, " | "))
	}
	text.WriteByte('\n')
}
