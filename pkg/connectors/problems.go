package connectors

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

const (
	maxNameLength = 128
	maxTextLength = 1024
	// maxHelpLength is of texts that are for people.
	maxHelpLength = 4096
	// maxQuotedLength is how much of a wrong value an error repeats.
	maxQuotedLength = 64
)

// What becomes part of the operator's shell command, and of an image's name, has only
// characters that mean nothing there. Type names can begin like Java's arrays.
var (
	entryName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	namePart    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
	archivePath = regexp.MustCompile(`^connectors(/[A-Za-z0-9][A-Za-z0-9._+-]*)+$`)
	className   = regexp.MustCompile(`^` + class + `$`)
	typeName    = regexp.MustCompile(`^(` + class + `|\[+([BCDFIJSZ]|L` + class + `;))$`)
	schemaType  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.$-]*$`)
	imageName   = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?/)?` +
		component + `(/` + component + `)*` + `:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?$`)
)

const (
	class     = `[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*`
	component = `[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*`
)

// problems returns what is wrong with an entry, each beginning with the member.
func (e *entry) problems() []string {
	p := &problemList{}
	if e.Name == "" {
		p.add("name: every connector has one")
	}
	p.match("name", e.Name, maxNameLength, entryName, "must be of letters of a to z in either case, digits and . _ -, and begin and end with a letter or digit")
	const partHelp = "must be of letters of a to z in either case, digits and . _ + -, and begin with a letter or digit"
	p.match("id", e.ID, maxTextLength, namePart, partHelp)
	p.match("version", e.Version, maxTextLength, namePart, partHelp)
	e.imageProblems(p)
	if e.JarFullName == "" && (e.ID == "" || e.Version == "") {
		p.add("jarFullName: the archive's name is needed: give it, or id and version, of which it then is made")
	} else {
		p.match("jarFullName", e.archive(), maxTextLength, archivePath,
			"the archive must be a path of letters of a to z in either case, digits and . _ + -, each part of which begins with a letter or digit")
	}
	for _, class := range []struct{ member, value string }{
		{"sourceClass", e.SourceClass},
		{"sinkClass", e.SinkClass},
		{"functionClass", e.FunctionClass},
		{"sourceConfigClass", e.SourceConfigClass},
		{"sinkConfigClass", e.SinkConfigClass},
		{"defaultSerdeClassName", e.DefaultSerdeClassName},
	} {
		p.match(class.member, class.value, maxTextLength, className, "must be the binary name of a Java class, such as org.example.Outer$Inner")
	}
	for _, class := range []struct{ member, value string }{
		{"typeClassName", e.TypeClassName},
		{"sourceTypeClassName", e.SourceTypeClassName},
		{"sinkTypeClassName", e.SinkTypeClassName},
	} {
		p.match(class.member, class.value, maxTextLength, typeName, "must be the binary name of a Java class, or of an array such as [B")
	}
	p.match("defaultSchemaType", e.DefaultSchemaType, maxTextLength, schemaType, "must be a schema type such as JSON, or a class")
	p.text("description", e.Description)
	e.configFieldProblems(p)
	return p.found
}

func (e *entry) imageProblems(p *problemList) {
	switch {
	case e.ImageRepository == "" && (e.ImageTag != "" || e.ImageRegistry != nil && *e.ImageRegistry != ""):
		p.add("imageRepository: an image has one")
	case e.ImageRepository == "":
	case e.ImageTag == "" && e.Version == "":
		p.add("imageTag: an image has one, or else the connector a version")
	default:
		p.match("imageRepository", e.image(), maxTextLength, imageName, "is no valid image, with the registry and the tag")
	}
}

func (e *entry) configFieldProblems(p *problemList) {
	seen := map[string]bool{}
	for i, field := range e.ConfigFields {
		member := "configFields[" + strconv.Itoa(i) + "]"
		switch {
		case field.FieldName == "":
			p.add(member + ".fieldName: every field has one")
		case seen[field.FieldName]:
			p.add(member + ".fieldName: " + quoted(field.FieldName) + " is there twice")
		}
		seen[field.FieldName] = true
		p.text(member+".fieldName", field.FieldName)
		p.text(member+".typeName", field.TypeName)
		for key, value := range field.Attributes {
			p.text(member+".attributes", key)
			p.text(member+".attributes", value)
		}
	}
}

type problemList struct{ found []string }

func (p *problemList) add(problem string) { p.found = append(p.found, problem) }

// match checks a value that may be absent.
func (p *problemList) match(member, value string, limit int, pattern *regexp.Regexp, help string) {
	switch {
	case value == "":
	case len(value) > limit:
		p.add(fmt.Sprintf("%s: may have %d bytes", member, limit))
	case !pattern.MatchString(value):
		p.add(fmt.Sprintf("%s: %s %s", member, quoted(value), help))
	}
}

// text checks a text for people.
func (p *problemList) text(member, value string) {
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	switch {
	case len(value) > maxHelpLength:
		p.add(fmt.Sprintf("%s: may have %d bytes", member, maxHelpLength))
	case strings.IndexFunc(value, control) >= 0:
		p.add(member + ": may hold no control characters")
	}
}

// quoted returns the beginning of a value, as it can be printed.
func quoted(value string) string {
	if len(value) > maxQuotedLength {
		value = value[:maxQuotedLength] + "..."
	}
	return strconv.Quote(value)
}
