package conformance

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
)

// encodeForm returns a form of parts and its content type. A part without a type goes
// without one.
func encodeForm(parts []part) (body io.Reader, contentType string, err error) {
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	for _, part := range parts {
		header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + part.Name + `"`}}
		if part.Type != "" {
			header.Set("Content-Type", part.Type)
		}
		to, err := writer.CreatePart(header)
		if err != nil {
			return nil, "", fmt.Errorf("could not make a form: %w", err)
		}
		if _, err := io.WriteString(to, part.Text); err != nil {
			return nil, "", fmt.Errorf("could not make a form: %w", err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, "", fmt.Errorf("could not make a form: %w", err)
	}
	return &buffer, writer.FormDataContentType(), nil
}

// decodeForm returns the parts of what a client sent. What has no body has none.
func decodeForm(contentType string, body []byte) ([]part, error) {
	if len(body) == 0 {
		return nil, nil
	}
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("could not tell what was sent: %w", err)
	}
	reader := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	var parts []part
	for {
		next, err := reader.NextRawPart()
		if err == io.EOF {
			return parts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("could not read a form: %w", err)
		}
		text, err := io.ReadAll(next)
		if err != nil {
			return nil, fmt.Errorf("could not read a form: %w", err)
		}
		parts = append(parts, part{Name: next.FormName(), Type: next.Header.Get("Content-Type"), Text: string(text)})
	}
}
