package connectors

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const (
	// archiveDirectory is where images of connectors have their archives.
	archiveDirectory = "connectors/"
	// defaultRegistry is where an image is if no registry is named.
	defaultRegistry = "docker.io/"
	// maxProblems is how many problems of a file are told at once.
	maxProblems = 10
)

// entry is an entry as the Java worker's file has it. The file is read with a YAML
// library and not by way of JSON for two reasons: problems have a line, and a version
// that was written without quotes, such as 2.10, stays what it is.
type entry struct {
	ID                    string        `yaml:"id"`
	Name                  string        `yaml:"name"`
	Description           string        `yaml:"description"`
	Version               string        `yaml:"version"`
	ImageRegistry         *string       `yaml:"imageRegistry"`
	ImageRepository       string        `yaml:"imageRepository"`
	ImageTag              string        `yaml:"imageTag"`
	JarFullName           string        `yaml:"jarFullName"`
	SourceClass           string        `yaml:"sourceClass"`
	SinkClass             string        `yaml:"sinkClass"`
	SourceConfigClass     string        `yaml:"sourceConfigClass"`
	SinkConfigClass       string        `yaml:"sinkConfigClass"`
	TypeClassName         string        `yaml:"typeClassName"`
	SourceTypeClassName   string        `yaml:"sourceTypeClassName"`
	SinkTypeClassName     string        `yaml:"sinkTypeClassName"`
	DefaultSchemaType     string        `yaml:"defaultSchemaType"`
	DefaultSerdeClassName string        `yaml:"defaultSerdeClassName"`
	FunctionClass         string        `yaml:"functionClass"`
	ConfigFields          []configField `yaml:"configFields"`
}

type configField struct {
	FieldName  string            `yaml:"fieldName"`
	TypeName   string            `yaml:"typeName"`
	Attributes map[string]string `yaml:"attributes"`
}

// Parse reads the text of a connectors file: a YAML list of entries, whose unknown
// members are ignored. An error names lines and entries.
func Parse(data []byte) ([]v1alpha1.PulsarConnectorSpec, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("could not parse the connectors file: %w", err)
	}
	if len(document.Content) == 0 {
		// Somebody may be about to write it.
		return nil, errors.New("could not parse the connectors file: it is empty; a list without entries is []")
	}
	list := document.Content[0]
	if list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("could not parse the connectors file: line %d: it must be a list of connectors", list.Line)
	}
	specs := make([]v1alpha1.PulsarConnectorSpec, 0, len(list.Content))
	var problems []error
	names, objectNames := map[string]int{}, map[string]string{}
	for i, node := range list.Content {
		var found entry
		if err := node.Decode(&found); err != nil {
			problems = append(problems, fmt.Errorf("line %d, entry %d: %w", node.Line, i+1, err))
			continue
		}
		at := fmt.Sprintf("line %d, entry %d (%s)", node.Line, i+1, quoted(found.Name))
		for _, problem := range found.problems() {
			problems = append(problems, fmt.Errorf("%s: %s", at, problem))
		}
		objectName := ObjectName(found.Name)
		if line, ok := names[found.Name]; ok {
			problems = append(problems, fmt.Errorf("%s: name: line %d has the same name", at, line))
		} else if other, ok := objectNames[objectName]; ok {
			problems = append(problems, fmt.Errorf("%s: name: Kubernetes can't tell it from %s", at, quoted(other)))
		}
		names[found.Name], objectNames[objectName] = node.Line, found.Name
		specs = append(specs, found.spec())
	}
	if len(problems) > maxProblems {
		more := len(problems) - maxProblems
		problems = append(problems[:maxProblems:maxProblems], fmt.Errorf("and %d problems more", more))
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("could not accept the connectors file: %w", errors.Join(problems...))
	}
	return specs, nil
}

func (e *entry) spec() v1alpha1.PulsarConnectorSpec {
	spec := v1alpha1.PulsarConnectorSpec{
		Name:                  e.Name,
		ID:                    e.ID,
		Description:           e.Description,
		Version:               e.Version,
		Image:                 e.image(),
		Archive:               e.archive(),
		SourceClass:           e.SourceClass,
		SinkClass:             e.SinkClass,
		FunctionClass:         e.FunctionClass,
		SourceConfigClass:     e.SourceConfigClass,
		SinkConfigClass:       e.SinkConfigClass,
		SourceTypeClassName:   e.SourceTypeClassName,
		SinkTypeClassName:     e.SinkTypeClassName,
		TypeClassName:         e.TypeClassName,
		DefaultSchemaType:     e.DefaultSchemaType,
		DefaultSerdeClassName: e.DefaultSerdeClassName,
	}
	for _, f := range e.ConfigFields {
		spec.ConfigFields = append(spec.ConfigFields, v1alpha1.ConfigField(f))
	}
	return spec
}

// image returns the image that runs the connector, or nothing for an entry without:
// then it is in the image that runs functions.
func (e *entry) image() string {
	if e.ImageRepository == "" {
		return ""
	}
	registry := defaultRegistry
	if e.ImageRegistry != nil {
		registry = *e.ImageRegistry
	}
	if registry != "" && registry[len(registry)-1] != '/' {
		registry += "/"
	}
	tag := e.ImageTag
	if tag == "" {
		tag = e.Version
	}
	return registry + e.ImageRepository + ":" + tag
}

// archive returns the path of the archive in the image.
func (e *entry) archive() string {
	if e.JarFullName != "" {
		return archiveDirectory + e.JarFullName
	}
	return archiveDirectory + e.ID + "-" + e.Version + ".nar"
}
