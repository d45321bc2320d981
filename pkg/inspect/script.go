package inspect

import (
	"debug/elf"
	"errors"
	"io"
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
		return checkPythonArchive(opened)
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

// Executable returns the architecture of a program for Linux, as Go calls it, such as
// amd64. Errors are of type *Refusal, or those of reader.
func Executable(reader io.ReaderAt) (string, error) {
	file, err := elf.NewFile(reader)
	var format *elf.FormatError
	switch {
	case errors.As(err, &format) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "", refuse("Function package is not a program for Linux (an ELF executable)")
	case err != nil:
		return "", err
	case file.Type != elf.ET_EXEC && file.Type != elf.ET_DYN:
		return "", refuse("Function package is not a program for Linux: it is an ELF file of another type")
	case file.OSABI != elf.ELFOSABI_NONE && file.OSABI != elf.ELFOSABI_LINUX:
		return "", refuse("Function package is a program for another system than Linux")
	}
	architecture, ok := map[elf.Machine]string{
		elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm",
		elf.EM_PPC64: "ppc64le", elf.EM_S390: "s390x", elf.EM_RISCV: "riscv64",
	}[file.Machine]
	if !ok {
		return "", refuse("Function package is a program for an unknown architecture")
	}
	return architecture, nil
}
