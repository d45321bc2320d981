// Package fieldtable reads the table that says of every field of Function Mesh's
// definitions what becomes of it in views, and who may set it, and prints it for
// users.
package fieldtable

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// What becomes of a field of a custom resource.
const (
	// Mapped fields are shown and can be changed.
	Mapped = "mapped"
	// Preserved fields are not shown, and no update touches them.
	Preserved = "preserved"
	// Refused fields make a resource one that can't be shown.
	Refused = "refused"
	// Kept fields are fields of views that no custom resource has.
	Kept = "kept"
)

// Setters say who may set a field, beside the right to write the object itself.
var Setters = []string{
	"free",           // whoever may write the object
	"customize",      // who has the verb customize
	"secret",         // who may read the Secret that it names
	"configmap",      // who may read the ConfigMap that it names
	"serviceaccount", // who may use the service account that it names
	"server",         // nobody: the server or the operator decides
}

// Row is a line of the table.
type Row struct {
	// Kinds has a letter for each kind with the field: F, R for sources, S for sinks.
	Kinds string
	// Path is the field's in the custom resource, as in package crdpaths; - for a
	// kept field.
	Path      string
	Treatment string
	// View is the path in views; - where there is none.
	View   string
	Setter string
}

// Of tells whether the row is about a kind, which is given as function, source or
// sink.
func (r Row) Of(kind string) bool {
	letter := map[string]string{"function": "F", "source": "R", "sink": "S"}[kind]
	return letter != "" && strings.Contains(r.Kinds, letter)
}

// Parse reads a table: a row a line, its columns between spaces. Lines that begin
// with # are comments.
func Parse(text []byte) ([]Row, error) {
	var rows []Row
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for scanner.Scan() {
		columns := strings.Fields(scanner.Text())
		if len(columns) == 0 || strings.HasPrefix(columns[0], "#") {
			continue
		}
		if len(columns) != 5 {
			return nil, fmt.Errorf("could not read the row %q: it has %d columns, not 5", scanner.Text(), len(columns))
		}
		row := Row{Kinds: columns[0], Path: columns[1], Treatment: columns[2], View: columns[3], Setter: columns[4]}
		if !slices.Contains([]string{Mapped, Preserved, Refused, Kept}, row.Treatment) || !slices.Contains(Setters, row.Setter) {
			return nil, fmt.Errorf("could not read the row %q: %s or %s is not known", scanner.Text(), row.Treatment, row.Setter)
		}
		if strings.Trim(row.Kinds, "FRS") != "" {
			return nil, fmt.Errorf("could not read the row %q: kinds are F, R and S", scanner.Text())
		}
		rows = append(rows, row)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("could not read the table: %w", err)
	}
	return rows, nil
}
