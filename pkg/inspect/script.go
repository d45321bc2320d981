package inspect

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/archive"
)

// scriptHead is how much of a Python file is looked at.
const scriptHead = 64 << 10

// checkPython tells a Python source file, or an archive of them, from something else.
// The runner goes by the name that the package has in the container: .zip and .whl
// are archives.
func checkPython(spec *v1alpha1.Package, reader io.ReaderAt, size int64) error {
	if size == 0 {
		return refuse("Function package is empty")
	}
	name := ""
	if spec != nil {
		name = spec.FileName
	}
	opened, err := archive.Open(reader, size, archive.DefaultLimits)
	var limit *archive.LimitError
	switch {
	case err == nil:
		defer opened.Close()
		if strings.HasSuffix(name, ".py") {
			return refuse("Function package is an archive, but is called %s: call it .zip or .whl", name)
		}
		if err := checkPythonArchive(opened); err != nil {
			return err
		}
		if name == "" && spec != nil {
			spec.FileName = pythonArchiveName(opened)
		}
		return nil
	case errors.As(err, &limit):
		return refuse("Function package is refused: %v", limit)
	case !errors.Is(err, archive.ErrFormat):
		return err
	}
	if strings.HasSuffix(name, ".zip") || strings.HasSuffix(name, ".whl") {
		return refuse("Function package is not an archive, but is called %s", name)
	}
	head := make([]byte, min(size, scriptHead))
	if _, err := reader.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.ContainsRune(string(head), 0) || !utf8.Valid(trimRune(head)) {
		return refuse("Function package is neither Python source in UTF-8 nor a zip or wheel archive")
	}
	return nil
}

// checkPythonArchive looks for the source of a function: the runner imports it from a
// zip archive's folder src, and from anywhere in a wheel.
func checkPythonArchive(opened *archive.Archive) error {
	for _, name := range opened.Names() {
		if strings.HasSuffix(name, ".py") {
			return nil
		}
	}
	return refuse("Function package is an archive without Python source")
}

// wheelFile is where a wheel says what it is, and tag the line with what it runs on.
var (
	wheelFile = regexp.MustCompile(`^([A-Za-z0-9_.]+-[A-Za-z0-9_.]+)\.dist-info/WHEEL$`)
	tag       = regexp.MustCompile(`(?m)^Tag: ([A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+)\s*$`)
)

// maxTags bounds the tags of a wheel that are looked at.
const maxTags = 100

// pythonArchiveName returns what an archive has to be called in the container. The runner
// installs a wheel with a tool that goes by its name, and looks in a zip archive for a
// folder of the archive's name.
func pythonArchiveName(opened *archive.Archive) string {
	folders := map[string]bool{}
	for _, name := range opened.Names() {
		if parts := wheelFile.FindStringSubmatch(name); parts != nil {
			tags := "py3-none-any"
			if content, err := opened.Entry(name); err == nil {
				for i, found := range tag.FindAllSubmatch(content, maxTags) {
					// The runner has Python 3.
					three := bytes.HasPrefix(found[1], []byte("py3")) || bytes.HasPrefix(found[1], []byte("cp3"))
					if i == 0 || three {
						tags = string(found[1])
					}
					if three {
						break
					}
				}
			}
			return parts[1] + "-" + tags + ".whl"
		}
		if folder, _, found := strings.Cut(name, "/"); found && folderName.MatchString(folder) {
			folders[folder] = true
		}
	}
	if len(folders) == 1 {
		for folder := range folders {
			return folder + ".zip"
		}
	}
	return "function.zip"
}

// folderName is what can be a part of a file's name in the operator's command.
var folderName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$`)

// trimRune cuts a character off that the end of the text splits.
func trimRune(text []byte) []byte {
	for cut := 1; cut < utf8.UTFMax && cut <= len(text); cut++ {
		if start := len(text) - cut; utf8.RuneStart(text[start]) {
			if !utf8.FullRune(text[start:]) {
				return text[:start]
			}
			break
		}
	}
	return text
}

// elfHeader is how much of an ELF file's header says what it is: up to its machine.
const elfHeader = 20

// Executable returns the architecture of a program for Linux, as Go calls it, such as
// amd64. Errors are of type *Refusal, or those of reader.
func Executable(reader io.ReaderAt) (string, error) {
	// Only the header is read: the library reads, and unpacks, whatever sections claim to
	// be.
	head := make([]byte, elfHeader)
	n, err := reader.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	class := elf.Class(head[elf.EI_CLASS])
	if n < len(head) || string(head[:len(elf.ELFMAG)]) != elf.ELFMAG || class != elf.ELFCLASS32 && class != elf.ELFCLASS64 {
		return "", refuse("Function package is not a program for Linux (an ELF executable)")
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	kind, machine, system := elf.Type(order.Uint16(head[16:])), elf.Machine(order.Uint16(head[18:])), elf.OSABI(head[elf.EI_OSABI])
	switch {
	case kind != elf.ET_EXEC && kind != elf.ET_DYN:
		return "", refuse("Function package is not a program for Linux: it is an ELF file of another type")
	case system != elf.ELFOSABI_NONE && system != elf.ELFOSABI_LINUX:
		return "", refuse("Function package is a program for another system than Linux")
	}
	architecture, ok := map[elf.Machine]string{
		elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm",
		elf.EM_PPC64: "ppc64le", elf.EM_S390: "s390x", elf.EM_RISCV: "riscv64",
	}[machine]
	if !ok {
		return "", refuse("Function package is a program for an unknown architecture")
	}
	return architecture, nil
}
