package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// rest sends a plain request. Its answer is written down at the door.
func (r *runner) rest(ctx context.Context, namespace string, call call) error {
	method, path, _ := strings.Cut(call.REST, " ")
	kind, _, _ := strings.Cut(path, "/")
	path = strings.Replace(path, "/@", "/"+tenant+"/"+namespace, 1)
	if !strings.HasPrefix(path, "/") {
		path = "/admin/v3/" + path
	}
	var body io.Reader
	contentType := call.Type
	switch {
	case call.Body != nil:
		body = strings.NewReader(*call.Body)
	case call.Config != nil || call.URL != "" || call.Options != nil:
		var err error
		if body, contentType, err = encodeForm(call.form(strings.TrimSuffix(kind, "s"))); err != nil {
			return err
		}
	}
	return r.send(ctx, method, path, contentType, body)
}

// form returns the parts of a create or update.
func (c call) form(kind string) []part {
	const json = "application/json"
	var parts []part
	if c.Config != nil {
		contentType := json
		switch c.ConfigType {
		case "":
		case "none":
			contentType = ""
		default:
			contentType = c.ConfigType
		}
		parts = append(parts, part{kind + "Config", contentType, configText(c.Config)})
	}
	if c.URL != "" {
		parts = append(parts, part{"url", "text/plain", c.URL})
	}
	if c.Options != nil {
		parts = append(parts, part{"updateOptions", json, string(c.Options)})
	}
	return parts
}

// resend sends what pulsar-admin sent when the answers were recorded.
func (r *runner) resend(ctx context.Context, recorded []exchange) error {
	for _, exchange := range recorded {
		method, path, _ := strings.Cut(exchange.Request, " ")
		var body io.Reader
		contentType := ""
		if exchange.Form != nil {
			var err error
			if body, contentType, err = encodeForm(exchange.Form); err != nil {
				return err
			}
		}
		if err := r.send(ctx, method, path, contentType, body); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) send(ctx context.Context, method, path, contentType string, body io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, method, r.door.url+path, body)
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
