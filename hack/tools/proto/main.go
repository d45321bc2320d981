// Command protobuf-gen generates Go code for protocol buffers, as protoc does with its
// plug-ins for Go, with nothing but Go: protoc itself is a program that not everybody
// has, and of a version that nothing pins.
//
//	protobuf-gen PLUGIN_DIR SOURCE_DIR FILE OUTPUT_DIR
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// plugins are what is run on each file.
var plugins = []string{"protoc-gen-go", "protoc-gen-go-grpc"}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: protobuf-gen PLUGIN_DIR SOURCE_DIR FILE OUTPUT_DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(pluginDir, sourceDir, file, outputDir string) error {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{sourceDir}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(context.Background(), file)
	if err != nil {
		return fmt.Errorf("could not compile %s: %w", file, err)
	}
	parameter := "paths=source_relative"
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: []string{file}, Parameter: &parameter}
	addFile(request, map[string]bool{}, compiled[0])
	encoded, err := proto.Marshal(request)
	if err != nil {
		return fmt.Errorf("could not ask for code: %w", err)
	}
	for _, plugin := range plugins {
		if err := generate(filepath.Join(pluginDir, plugin), encoded, outputDir); err != nil {
			return err
		}
	}
	return nil
}

// addFile adds a file to a request behind those that it imports.
func addFile(request *pluginpb.CodeGeneratorRequest, known map[string]bool, file protoreflect.FileDescriptor) {
	if known[file.Path()] {
		return
	}
	known[file.Path()] = true
	for i := range file.Imports().Len() {
		addFile(request, known, file.Imports().Get(i).FileDescriptor)
	}
	request.ProtoFile = append(request.ProtoFile, descriptor(file))
}

// descriptor has the comments as well where the file has just been compiled.
func descriptor(file protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	if compiled, ok := file.(interface {
		FileDescriptorProto() *descriptorpb.FileDescriptorProto
	}); ok {
		return compiled.FileDescriptorProto()
	}
	if described := protoutil.ProtoFromFileDescriptor(file); described != nil {
		return described
	}
	return protodesc.ToFileDescriptorProto(file)
}

func generate(plugin string, request []byte, outputDir string) error {
	command := exec.Command(plugin)
	command.Stdin, command.Stderr = bytes.NewReader(request), os.Stderr
	answer, err := command.Output()
	if err != nil {
		return fmt.Errorf("could not run %s: %w", plugin, err)
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(answer, &response); err != nil {
		return fmt.Errorf("could not read what %s generated: %w", plugin, err)
	}
	if response.Error != nil {
		return fmt.Errorf("%s refused: %s", plugin, response.GetError())
	}
	for _, generated := range response.File {
		path := filepath.Join(outputDir, generated.GetName())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("could not make a folder: %w", err)
		}
		if err := os.WriteFile(path, []byte(generated.GetContent()), 0o644); err != nil {
			return fmt.Errorf("could not write generated code: %w", err)
		}
	}
	return nil
}
