// Package classtest makes class files and archives of them, for tests: what a Java
// compiler would write, and what none would.
package classtest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// Class is a class to be written. Names have dots.
type Class struct {
	Name         string
	Super        string // java.lang.Object without one
	Interfaces   []string
	Signature    string   // the attribute's text; no attribute when empty
	Constructors []string // descriptors
	Interface    bool
}

// Bytes returns the class file.
func (c Class) Bytes() []byte {
	pool := &pool{index: map[string]uint16{}}
	super := c.Super
	if super == "" {
		super = "java.lang.Object"
	}
	body := &bytes.Buffer{}
	flags := uint16(0x0021)
	if c.Interface {
		flags = 0x0601
	}
	put(body, flags, pool.class(c.Name), pool.class(super), uint16(len(c.Interfaces)))
	for _, name := range c.Interfaces {
		put(body, pool.class(name))
	}
	put(body, uint16(0), uint16(len(c.Constructors))) // no fields
	for _, descriptor := range c.Constructors {
		put(body, uint16(1), pool.text("<init>"), pool.text(descriptor), uint16(0))
	}
	if c.Signature == "" {
		put(body, uint16(0))
	} else {
		put(body, uint16(1), pool.text("Signature"), uint32(2), pool.text(c.Signature))
	}
	file := &bytes.Buffer{}
	put(file, uint32(0xCAFEBABE), uint32(61), uint16(len(pool.index)+1))
	file.Write(pool.constants.Bytes())
	file.Write(body.Bytes())
	return file.Bytes()
}

// Jar returns an archive of some classes and other entries, by name.
func Jar(classes []Class, others map[string][]byte) []byte {
	entries := maps.Clone(others)
	if entries == nil {
		entries = map[string][]byte{}
	}
	for _, class := range classes {
		entries[strings.ReplaceAll(class.Name, ".", "/")+".class"] = class.Bytes()
	}
	file := &bytes.Buffer{}
	writer := zip.NewWriter(file)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		// A buffer takes everything.
		entry, _ := writer.Create(name)
		_, _ = entry.Write(entries[name])
	}
	_ = writer.Close()
	return file.Bytes()
}

// pool is a constant pool.
type pool struct {
	constants bytes.Buffer
	index     map[string]uint16
}

func (p *pool) text(text string) uint16 {
	if index, ok := p.index["text "+text]; ok {
		return index
	}
	put(&p.constants, uint8(1), uint16(len(text)))
	p.constants.WriteString(text)
	p.index["text "+text] = uint16(len(p.index) + 1)
	return p.index["text "+text]
}

func (p *pool) class(name string) uint16 {
	text := p.text(strings.ReplaceAll(name, ".", "/"))
	if index, ok := p.index["class "+name]; ok {
		return index
	}
	put(&p.constants, uint8(7), text)
	p.index["class "+name] = uint16(len(p.index) + 1)
	return p.index["class "+name]
}

func put(to *bytes.Buffer, numbers ...any) {
	for _, number := range numbers {
		_ = binary.Write(to, binary.BigEndian, number)
	}
}
