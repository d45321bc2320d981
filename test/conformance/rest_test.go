package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
)

// rest sends a plain request. Its answer is written down at the door.
func (r *runner) rest(ctx context.Context, namespace string, call call) error {
	method, path, _ := strings.Cut(call.REST, " ")
	kind, _, _ := strings.Cut(path, "/")
	path = strings.Replace(path, "/@", "/"+tenant+"/"+namespace, 1)
	prefix := "/admin/v3/"
	if strings.HasPrefix(path, "/") {
		prefix = ""
	}
	var body io.Reader
	contentType := call.Type
	switch {
	case call.Body != nil:
		body = strings.NewReader(*call.Body)
	case call.Config != nil || call.URL != "" || call.Options != nil:
		form, formType, err := form(strings.TrimSuffix(kind, "s"), call)
		if err != nil {
			return err
		}
		body, contentType = form, formType
	}
	request, err := http.NewRequestWithContext(ctx, method, r.door.url+prefix+path, body)
	if err != nil {
		return fmt.Errorf("could not make a request: %w", err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("could not send a request: %w", err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("could not read an answer: %w", err)
	}
	return nil
}

// form returns the parts of a create or update.
func form(kind string, call call) (io.Reader, string, error) {
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	part := func(name, contentType, content string) error {
		header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + name + `"`}}
		if contentType != "none" {
			header.Set("Content-Type", contentType)
		}
		to, err := writer.CreatePart(header)
		if err != nil {
			return fmt.Errorf("could not make a form: %w", err)
		}
		if _, err := io.WriteString(to, content); err != nil {
			return fmt.Errorf("could not make a form: %w", err)
		}
		return nil
	}
	const json = "application/json"
	if call.Config != nil {
		contentType := json
		if call.ConfigType != "" {
			contentType = call.ConfigType
		}
		if err := part(kind+"Config", contentType, configText(call.Config)); err != nil {
			return nil, "", err
		}
	}
	if call.URL != "" {
		if err := part("url", "text/plain", call.URL); err != nil {
			return nil, "", err
		}
	}
	if call.Options != nil {
		if err := part("updateOptions", json, string(call.Options)); err != nil {
			return nil, "", err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, "", fmt.Errorf("could not make a form: %w", err)
	}
	return &body, writer.FormDataContentType(), nil
}
