package crdpaths

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Format writes one line per field: the path, the type, and what else restricts
// it.
func Format(fields []Field) []byte {
	var text bytes.Buffer
	for _, field := range fields {
		fmt.Fprintf(&text, "%s %s", field.Path, field.Type)
		if field.Free {
			text.WriteString(" free")
		}
		if len(field.Enum) > 0 {
			text.WriteString(" enum=" + strings.Join(field.Enum, ","))
		}
		if field.Minimum != nil {
			fmt.Fprintf(&text, " minimum=%d", *field.Minimum)
		}
		if len(field.Required) > 0 {
			text.WriteString(" required=" + strings.Join(field.Required, ","))
		}
		text.WriteByte('\n')
	}
	return text.Bytes()
}

// Parse reads what Format wrote. Lines that begin with # are comments.
func Parse(text []byte) ([]Field, error) {
	var fields []Field
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for scanner.Scan() {
		if scanner.Text() == "" || strings.HasPrefix(scanner.Text(), "#") {
			continue
		}
		field, err := parseLine(scanner.Text())
		if err != nil {
			return nil, err
		}
		fields = append(fields, field)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("could not read the fields: %w", err)
	}
	return fields, nil
}

func parseLine(line string) (Field, error) {
	words := strings.Split(line, " ")
	if len(words) < 2 {
		return Field{}, fmt.Errorf("could not read the field %q: it has no type", line)
	}
	field := Field{Path: words[0], Type: words[1]}
	for _, word := range words[2:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "free":
			field.Free = true
		case "enum":
			field.Enum = strings.Split(value, ",")
		case "minimum":
			minimum, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return Field{}, fmt.Errorf("could not read the field %q: %w", line, err)
			}
			field.Minimum = &minimum
		case "required":
			field.Required = strings.Split(value, ",")
		default:
			return Field{}, fmt.Errorf("could not read the field %q: %q is not known", line, word)
		}
	}
	return field, nil
}
