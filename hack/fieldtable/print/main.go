// Command print prints a table of fields, whose file is its only argument, for users.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/function-mesh/functionmesh-apiserver/hack/fieldtable"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "could not print the fields:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: print FILE")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("could not read the table: %w", err)
	}
	rows, err := fieldtable.Parse(text)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(bytes.TrimRight(fieldtable.Document(rows), "\n"), '\n'))
	return err
}
