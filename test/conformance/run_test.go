package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	pulsarconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// runner runs steps against one server.
type runner struct {
	door *door
	// java is nil where pulsar-admin can't be run. What it sent when the answers were
	// recorded, which is in kept, is sent in its place.
	java  *javaclient.Client
	kept  map[string]answer
	goAPI pulsaradmin.Client
	// dir receives the files that commands read, and here is where those are looked for
	// that are named without a folder.
	dir, here string
}

func newRunner(t *testing.T, server string, java *javaclient.Client, kept map[string]answer) *runner {
	t.Helper()
	d := openDoor(t, server)
	return &runner{
		door: d, java: java, kept: kept, dir: t.TempDir(), here: must[string](t)(os.Getwd()),
		goAPI: must[pulsaradmin.Client](t)(pulsaradmin.NewClient(&pulsaradmin.Config{WebServiceURL: d.url, PulsarAPIVersion: pulsarconfig.V3})),
	}
}

// run returns what is answered to a step.
func (r *runner) run(ctx context.Context, step step) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if len(step.Together) > 0 {
		return r.together(ctx, step)
	}
	var result answer
	var err error
	if step.java() && r.java == nil {
		err = r.resend(ctx, r.kept[step.Name].Exchanges)
	} else {
		result, err = r.call(ctx, step.namespace, step.call)
	}
	if err != nil {
		return answer{}, err
	}
	passed, err := r.door.take()
	if err != nil {
		return answer{}, err
	}
	for _, passage := range passed {
		if step.java() {
			if passage.Form, err = decodeForm(passage.contentType, passage.sent); err != nil {
				return answer{}, err
			}
		}
		result.Exchanges = append(result.Exchanges, passage.exchange)
	}
	return result, nil
}

// runAll runs the script, but for commands of pulsar-admin that can neither be run nor
// sent again.
func (r *runner) runAll(ctx context.Context, script script) (map[string]answer, error) {
	all := map[string]answer{}
	for _, step := range script {
		if step.java() && r.java == nil && !r.kept[step.Name].resendable() {
			continue
		}
		got, err := r.run(ctx, step)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", step.Name, err)
		}
		all[step.Name] = got
	}
	return all, nil
}

// together runs calls at once. What remains of their answers is that each is one of
// those that it may be.
func (r *runner) together(ctx context.Context, step step) (answer, error) {
	errs := make([]error, len(step.Together))
	var wg sync.WaitGroup
	for i, call := range step.Together {
		wg.Go(func() { _, errs[i] = r.call(ctx, step.namespace, call) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return answer{}, err
		}
	}
	passed, err := r.door.take()
	if err != nil {
		return answer{}, err
	}
	var unexpected []string
	for _, e := range passed {
		text := strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, reason(e.Body)))
		if !slices.Contains(step.Answers, text) {
			unexpected = append(unexpected, text)
		}
	}
	if len(unexpected) > 0 {
		slices.Sort(unexpected)
		return answer{Exit: 1, Err: strings.Join(unexpected, "\n")}, nil
	}
	return answer{Out: fmt.Sprintf("%d calls were answered as they may be", len(step.Together))}, nil
}

// reason returns the one in an error's body, or the body.
func reason(body string) string {
	var refusal struct {
		Reason string `json:"reason"`
	}
	if json.Unmarshal([]byte(body), &refusal) == nil && refusal.Reason != "" {
		return refusal.Reason
	}
	return body
}

func (r *runner) call(ctx context.Context, namespace string, call call) (answer, error) {
	switch {
	case call.Admin != "":
		return r.admin(ctx, namespace, call)
	case call.Go != "":
		return r.goClient(namespace, call)
	default:
		return answer{}, r.rest(ctx, namespace, call)
	}
}

// admin runs pulsar-admin.
func (r *runner) admin(ctx context.Context, namespace string, call call) (answer, error) {
	args, err := arguments(call.Admin, namespace)
	if err != nil {
		return answer{}, err
	}
	if call.File != nil {
		content, err := yaml.Marshal(call.File)
		if err != nil {
			return answer{}, fmt.Errorf("could not encode a file: %w", err)
		}
		file := filepath.Join(r.dir, "config.yaml")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return answer{}, fmt.Errorf("could not write a file: %w", err)
		}
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "${file}", file)
		}
	}
	run := r.java.Run
	if call.Process {
		run = func(ctx context.Context, url string, args ...string) (javaclient.Result, error) {
			return r.java.RunProcess(ctx, r.dir, url, args...)
		}
	}
	got, err := run(ctx, r.door.url, args...)
	if err != nil {
		return answer{}, err
	}
	isList := len(args) > 1 && args[1] == "list"
	return answer{Exit: got.Exit, Out: normalOut(r.neutral(got.Out), isList), Err: strings.TrimSpace(r.neutral(got.Err))}, nil
}

// neutral takes out what is of this run only, what the first command of a JVM says about
// its log, and what only the client has to say: how it is used and where it failed.
func (r *runner) neutral(text string) string {
	text = strings.NewReplacer(r.door.url, "SERVER", r.dir, "FOLDER", r.here, "FOLDER").Replace(text)
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Usage: ") {
			break
		}
		if !strings.HasPrefix(line, "SLF4J") && !strings.HasPrefix(line, "\tat ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
