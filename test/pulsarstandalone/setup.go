package pulsarstandalone

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
)

// Upload makes a file a package, whose name is like function://tenant/namespace/name@version.
func (p *Pulsar) Upload(ctx context.Context, name, file string) error {
	kind, rest, hasKind := strings.Cut(name, "://")
	rest, version, hasVersion := strings.Cut(rest, "@")
	if !hasKind || !hasVersion {
		return fmt.Errorf("%q is no package name with a version", name)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("could not read a package: %w", err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	metadata, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="metadata"`}, "Content-Type": {"application/json"},
	})
	if err != nil {
		return fmt.Errorf("could not describe a package: %w", err)
	}
	if _, err := io.WriteString(metadata, `{"description":"a package of the tests"}`); err != nil {
		return fmt.Errorf("could not describe a package: %w", err)
	}
	data, err := form.CreateFormFile("file", filepath.Base(file))
	if err != nil {
		return fmt.Errorf("could not pack a package: %w", err)
	}
	if _, err := data.Write(content); err != nil {
		return fmt.Errorf("could not pack a package: %w", err)
	}
	if err := form.Close(); err != nil {
		return fmt.Errorf("could not pack a package: %w", err)
	}
	return ask(ctx, http.MethodPost, p.URL()+"/admin/v3/packages/"+kind+"/"+rest+"/"+version, &body, form.FormDataContentType())
}

// CreateTenant makes a tenant and namespaces in it.
func (p *Pulsar) CreateTenant(ctx context.Context, tenant string, namespaces ...string) error {
	const json = "application/json"
	err := ask(ctx, http.MethodPut, p.URL()+"/admin/v2/tenants/"+tenant, strings.NewReader(`{"allowedClusters":["standalone"]}`), json)
	if err != nil {
		return err
	}
	for _, namespace := range namespaces {
		if err := ask(ctx, http.MethodPut, p.URL()+"/admin/v2/namespaces/"+tenant+"/"+namespace, nil, json); err != nil {
			return err
		}
	}
	return nil
}
