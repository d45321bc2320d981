package pulsarstandalone

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// serviceFile is where a NAR says what it is.
const serviceFile = "META-INF/services/pulsar-io.yaml"

// Connector is the name of the connector that Pulsar has built in, as source and sink.
// It has no function built in, for Function Mesh has none.
const Connector = "tiny"

// connectorDescription is in the NAR.
const connectorDescription = `name: ` + Connector + `
description: A connector that does nothing
sourceClass: org.example.Silence
sinkClass: org.example.Discard
sourceConfigClass: org.example.Settings
sinkConfigClass: org.example.Settings
`

// Code are the files that were built of the Java sources.
type Code struct {
	// Jar has all classes, and NAR also says that it is a connector.
	Jar, NAR string
	// Connectors is the folder of what Pulsar has built in.
	Connectors string
}

// build compiles the sources in a folder and packs them, into dir.
func build(ctx context.Context, sources, dir, classpath string) (Code, error) {
	code := Code{
		Jar: filepath.Join(dir, "code.jar"), NAR: filepath.Join(dir, "connectors", Connector+".nar"),
		Connectors: filepath.Join(dir, "connectors"),
	}
	classes := filepath.Join(dir, "classes")
	for _, folder := range []string{classes, code.Connectors} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return Code{}, fmt.Errorf("could not make a folder for Java code: %w", err)
		}
	}
	files, err := filepath.Glob(filepath.Join(sources, "org", "example", "*.java"))
	if err != nil {
		return Code{}, fmt.Errorf("could not list Java sources: %w", err)
	}
	javac := exec.CommandContext(ctx, "javac", append([]string{"-proc:none", "-d", classes, "-cp", classpath}, files...)...)
	if output, err := javac.CombinedOutput(); err != nil {
		return Code{}, fmt.Errorf("could not compile %s: %w: %s", sources, err, output)
	}
	for file, description := range map[string]string{code.Jar: "", code.NAR: connectorDescription} {
		if err := pack(file, classes, description); err != nil {
			return Code{}, err
		}
	}
	return code, nil
}

// pack writes an archive of a folder, with a description where there is one.
func pack(file, folder, description string) error {
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	if err := archive.AddFS(os.DirFS(folder)); err != nil {
		return fmt.Errorf("could not pack %s: %w", folder, err)
	}
	if description != "" {
		entry, err := archive.Create(serviceFile)
		if err != nil {
			return fmt.Errorf("could not describe %s: %w", file, err)
		}
		if _, err := entry.Write([]byte(description)); err != nil {
			return fmt.Errorf("could not describe %s: %w", file, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("could not pack %s: %w", folder, err)
	}
	if err := os.WriteFile(file, buffer.Bytes(), 0o600); err != nil {
		return fmt.Errorf("could not write a package: %w", err)
	}
	return nil
}
