package archive

import (
	"errors"
	"fmt"
	"io/fs"

	"sigs.k8s.io/yaml"
)

// Service is what META-INF/services/pulsar-io.yaml says of a package.
type Service struct {
	Name        string `json:"name"`
	Description string `json:"description"`

	SourceClass       string `json:"sourceClass"`
	SinkClass         string `json:"sinkClass"`
	FunctionClass     string `json:"functionClass"`
	SourceConfigClass string `json:"sourceConfigClass"`
	SinkConfigClass   string `json:"sinkConfigClass"`
}

// Service returns what the archive says of itself, or nil when it says nothing.
func (a *Archive) Service() (*Service, error) {
	content, err := a.read(a.root, serviceFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	service := &Service{}
	if err := yaml.Unmarshal(content, service); err != nil {
		// The decoder's error quotes the file, which may hold anything.
		return nil, fmt.Errorf("could not read %s: it is not YAML with the members name, sourceClass, sinkClass and functionClass", serviceFile)
	}
	return service, nil
}
