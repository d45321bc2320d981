package main

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

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const (
	functionsPath = "/admin/v3/functions/public/default"
	// samplePath and samplePackage are of the function that comes through the
	// shim; the other one is in artifacts/samples.
	samplePath    = functionsPath + "/wordcount"
	samplePackage = "function://public/default/wordcount@1.0"
	// prerequisites is the file in examplesDir with what its other files refer to.
	examplesDir   = "examples"
	prerequisites = "00-prerequisites.yaml"
	// sampleCode is the code of that function, which is uploaded where there is a Pulsar.
	sampleCode = `from pulsar import Function


class WordCount(Function):
    def process(self, input, context):
        return str(len(input.split()))
`
)

// sampleConfig is, with samplePackage, what pulsar-admin sends for
//
//	functions create --tenant public --namespace default --name wordcount
//	  --py function://public/default/wordcount@1.0 --classname wordcount.WordCount
//	  --inputs persistent://public/default/sentences --output persistent://public/default/counts
const sampleConfig = `{
  "tenant": "public",
  "namespace": "default",
  "name": "wordcount",
  "className": "wordcount.WordCount",
  "inputs": ["persistent://public/default/sentences"],
  "output": "persistent://public/default/counts",
  "runtime": "PYTHON",
  "autoAck": true,
  "parallelism": 1
}`

// createSamples creates what the examples refer to and one function through each
// door, and lists both functions.
func createSamples(ctx context.Context, env *devenv.Env, o options) error {
	references := filepath.Join(o.artifactsDir, examplesDir, prerequisites)
	say("creating what the examples refer to: kubectl apply -f %s", relative(references))
	if err := kubectl(ctx, env, "apply", "-f", references); err != nil {
		return err
	}
	sample := filepath.Join(o.artifactsDir, "samples", "pulsarfunction.yaml")
	say("creating a function with kubectl: kubectl apply -f %s", relative(sample))
	if err := kubectl(ctx, env, "apply", "-f", sample); err != nil {
		return err
	}
	say("creating a function with Pulsar's admin API: POST %s%s", env.ShimURL(), samplePath)
	code := part{name: "url", contentType: "text/plain", content: samplePackage}
	if o.pulsar.adminURL != "" {
		code = part{name: "data", contentType: "application/octet-stream", content: sampleCode}
	}
	if err := postSample(ctx, env.ShimURL()+samplePath, code); err != nil {
		return err
	}
	say("kubectl get pulsarfunctions")
	return kubectl(ctx, env, "get", "pulsarfunctions")
}

func kubectl(ctx context.Context, env *devenv.Env, args ...string) error {
	cmd := env.Kubectl(ctx, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("could not run kubectl %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// part is one of a form.
type part struct{ name, contentType, content string }

// postSample sends the parts that Pulsar's Java and Go clients send.
func postSample(ctx context.Context, url string, code part) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range []part{code, {"functionConfig", "application/json", sampleConfig}} {
		writer, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf("form-data; name=%q", part.name)},
			"Content-Type":        {part.contentType},
		})
		if err != nil {
			return fmt.Errorf("could not encode a form: %w", err)
		}
		if _, err := io.WriteString(writer, part.content); err != nil {
			return fmt.Errorf("could not encode a form: %w", err)
		}
	}
	if err := form.Close(); err != nil {
		return fmt.Errorf("could not encode a form: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, &body)
	if err != nil {
		return fmt.Errorf("could not make a request: %w", err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("could not create the sample function: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		reason, err := io.ReadAll(io.LimitReader(response.Body, 4096))
		if err != nil {
			return fmt.Errorf("could not read the answer of %s (%s): %w", url, response.Status, err)
		}
		return fmt.Errorf("could not create the sample function: %s answers %s: %s", url, response.Status, reason)
	}
	return nil
}

// nextSteps says what to type in another terminal. Every line of it works.
func nextSteps(o options, env *devenv.Env) string {
	url := "$PULSAR_ADMIN_URL" + functionsPath
	return `
Next, in another terminal:

  source ` + quoteIfNeeded(relative(filepath.Join(o.stateDir, envName))) + `
  kubectl get pulsarfunctions -o wide --watch
  kubectl explain pulsarfunctions.spec
  kubectl get pulsarconnectors
  kubectl get pulsarfunction exclamation -o yaml
  kubectl get functions.compute.functionmesh.io exclamation -o yaml
  curl -sw '\n' ` + url + `
  curl -sw '\n' ` + url + `/wordcount
  curl -sw '\n' ` + url + `/exclamation
  kubectl apply -f ` + relative(filepath.Join(o.artifactsDir, examplesDir, "function-window-time.yaml")) + `
  kubectl patch pulsarfunction exclamation --type merge -p '{"spec":{"parallelism":2}}'
  curl -s -X DELETE ` + url + `/wordcount

The same with Pulsar's own client, if you have it:

  pulsar-admin --admin-url $PULSAR_ADMIN_URL functions list --tenant public --namespace default

` + packageSteps(o.pulsar, url) + `
Logs: ` + relative(filepath.Join(env.ControlPlane.Dir(), "logs")) + `. Ctrl-C stops everything.
`
}

// packageSteps says what to do with files.
func packageSteps(pulsar pulsar, url string) string {
	if pulsar.adminURL == "" {
		return `Files that come with functions need a Pulsar: make run PULSAR_URL=` + devenv.DefaultWebServiceURL + ` (see README.md).
`
	}
	return `With the Pulsar at ` + pulsar.adminURL + `, the code of wordcount was uploaded. What became of it:

  kubectl get pulsarfunctions -o jsonpath='{range .items[*]}{.spec.name} {.status.package}{"\n"}{end}'
  curl -s ` + url + `/wordcount/download
`
}

func quoteIfNeeded(path string) string {
	if strings.ContainsAny(path, " '\"$`\\") {
		return quote(path)
	}
	return path
}

// relative returns the path as seen from the working directory if it is below that.
func relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
