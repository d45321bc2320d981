package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
)

// answersFile holds what a real Pulsar answered the last time somebody had it recorded.
const answersFile = "answers.json"

// recording is the content of answersFile.
type recording struct {
	// Recorded is the day.
	Recorded string `json:"recorded"`
	// Pulsar is its version.
	Pulsar string `json:"pulsar"`
	// Existence is what was answered to questions for tenants and namespaces, by path.
	Existence map[string]exchange `json:"existence"`
	Answers   map[string]answer   `json:"answers"`
}

func loadRecording() (recording, error) {
	var kept recording
	text, err := os.ReadFile(answersFile)
	if err != nil {
		return kept, fmt.Errorf("could not read recorded answers: %w", err)
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return kept, fmt.Errorf("could not read %s: %w", answersFile, err)
	}
	return kept, nil
}

// save writes the file, a line for each answer, so that changes can be reviewed.
func (r recording) save() error {
	var buffer bytes.Buffer
	existence, err := json.Marshal(r.Existence)
	if err != nil {
		return fmt.Errorf("could not encode answers: %w", err)
	}
	fmt.Fprintf(&buffer, "{\"recorded\":%q,\"pulsar\":%q,\"existence\":%s,\"answers\":{", r.Recorded, r.Pulsar, existence)
	for i, name := range slices.Sorted(maps.Keys(r.Answers)) {
		if i > 0 {
			buffer.WriteByte(',')
		}
		line, err := json.Marshal(name)
		if err != nil {
			return fmt.Errorf("could not encode the name of a step: %w", err)
		}
		buffer.WriteString("\n" + string(line) + ":")
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r.Answers[name]); err != nil {
			return fmt.Errorf("could not encode answers: %w", err)
		}
		buffer.Truncate(buffer.Len() - 1)
	}
	buffer.WriteString("\n}}\n")
	if err := os.WriteFile(answersFile, buffer.Bytes(), 0o644); err != nil {
		return fmt.Errorf("could not record answers: %w", err)
	}
	return nil
}
