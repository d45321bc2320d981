// Command print prints the fields of a custom resource definition, whose file
// is its only argument, as package crdpaths formats them.
package main

import (
	"fmt"
	"os"

	"github.com/function-mesh/functionmesh-apiserver/hack/crdpaths"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "could not list the fields:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: print FILE")
	}
	crd, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("could not read the definition: %w", err)
	}
	fields, err := crdpaths.Derive(crd)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(crdpaths.Format(fields))
	return err
}
