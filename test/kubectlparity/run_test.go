package kubectlparity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
)

// scene is a list of commands, each on what the ones before have left, in a namespace
// of its own.
type scene struct {
	name  string
	steps []step
	// everyKind says that it is also run on sources and sinks.
	everyKind bool
	// against is the built-in kind to compare with, where it is not deployment.
	against *kind
}

// step is one kubectl command.
type step struct {
	// note tells it from others of the same scene with the same arguments.
	note string
	// args is the command with words for names. Single quotes keep blanks together.
	args string
	// input is given to it as its standard input.
	input string
	// edit is a sed expression, by which the command's editor changes what it gets.
	edit string
	// shape says what of the output counts; without one all of it.
	shape func(output string) string
}

// key names a step in the table of differences.
func (s scene) key(step step) string {
	return strings.TrimSuffix(s.name+": "+step.args+" ("+step.note+")", " ()")
}

// side is one of the two that are compared.
type side struct {
	t         *testing.T
	kind      kind
	namespace string
	dir       string
	objects   dynamic.ResourceInterface
}

func newSide(t *testing.T, kind kind) *side {
	t.Helper()
	namespace, err := env.ControlPlane.Client().CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "parity-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &side{
		t: t, kind: kind, namespace: namespace.Name, dir: t.TempDir(),
		objects: env.Dynamic().Resource(kind.resource).Namespace(namespace.Name),
	}
}

// result is what a command answered, with generic words for names.
type result struct {
	Code           int
	Stdout, Stderr string
}

func (s *side) run(step step) result {
	s.t.Helper()
	s.settle()
	ctx, cancel := context.WithTimeout(s.t.Context(), commandTimeout)
	defer cancel()
	args := split(s.fill(step.args))
	cmd := env.Kubectl(ctx, append([]string{"--namespace", s.namespace}, args...)...)
	cmd.Env = append(cmd.Env, "TMPDIR="+s.dir, "KUBECTL_APPLYSET=true")
	if step.edit != "" {
		cmd.Env = append(cmd.Env, "KUBE_EDITOR="+s.editor(s.fill(step.edit)))
	}
	cmd.Stdin = strings.NewReader(s.fill(step.input))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	if ctx.Err() != nil {
		s.t.Fatalf("kubectl %s doesn't end", step.args)
	}
	output := stdout.String()
	if step.shape != nil {
		output = step.shape(output)
	}
	return result{cmd.ProcessState.ExitCode(), s.generic(output), s.generic(stderr.String())}
}

// fill puts the kind's names, and what is only known now, into a text.
func (s *side) fill(text string) string {
	text = labelledWord.ReplaceAllStringFunc(text, func(word string) string {
		name := strings.Trim(word, "<>")[len("labelled "):]
		return strings.Replace(s.kind.manifest(name), "  name: "+name, "  labels: {set: a}\n  name: "+name, 1)
	})
	text = objectWord.ReplaceAllStringFunc(text, func(word string) string {
		name, extra, _ := strings.Cut(strings.Trim(word, "<>")[len("object "):], ";")
		switch name {
		case "": // to be generated
			return strings.Replace(s.kind.manifest("made"), "  name: made", "  generateName: made-", 1)
		case "-": // missing
			return strings.Replace(s.kind.manifest("echo"), "  name: echo", "  labels: {}", 1)
		}
		if extra != "" {
			extra = "  " + strings.ReplaceAll(extra, ";", "\n  ") + "\n"
		}
		return s.kind.manifest(name, extra)
	})
	text = strings.NewReplacer(append(s.kind.words(), "<ns>", s.namespace, "<dir>", s.dir)...).Replace(text)
	if strings.Contains(text, "<rv>") {
		object, err := s.objects.Get(s.t.Context(), "echo", metav1.GetOptions{})
		if err != nil {
			s.t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "<rv>", object.GetResourceVersion())
	}
	if strings.Contains(text, "<continue>") {
		list, err := s.objects.List(s.t.Context(), metav1.ListOptions{Limit: 1})
		if err != nil {
			s.t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "<continue>", list.GetContinue())
	}
	return text
}

// settle waits until nobody is about to change the objects by themselves: a command
// with a resource version would meet it.
func (s *side) settle() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), commandTimeout)
	defer cancel()
	for {
		list, err := s.objects.List(ctx, metav1.ListOptions{})
		if err != nil {
			s.t.Fatalf("the objects don't settle: %v", err)
		}
		settled := true
		for _, object := range list.Items {
			settled = settled && s.kind.settled(&object)
		}
		if settled {
			return
		}
		time.Sleep(settlePause)
	}
}

func (s *side) editor(expression string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, "editor")
	script := "#!/bin/sh\nexec sed -i '" + expression + "' \"$1\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// split splits a command line at blanks outside of single quotes.
func split(line string) []string {
	var words []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

// play runs a scene on a kind of this group and on the built-in one.
func play(t *testing.T, scene scene, kind kind) {
	builtin := deployment
	if scene.against != nil {
		builtin = *scene.against
	}
	ours, theirs := newSide(t, kind), newSide(t, builtin)
	for i, step := range scene.steps {
		got, want := ours.run(step), theirs.run(step)
		key := scene.key(step)
		name := fmt.Sprintf("step %d, %s", i, key)
		difference, listed := differences[key]
		switch {
		case got == want && listed:
			t.Errorf("%s: differs no more, but is listed as a difference", name)
		case got == want:
		case !listed:
			t.Errorf("%s: the %s (-) and the %s (+) differ:\n%s", name, builtin.title, kind.title, cmp.Diff(want.String(), got.String()))
		case !strings.Contains(got.String(), difference.ours):
			t.Errorf("%s: the %s (-) and the %s (+) differ, but not as listed (%q):\n%s",
				name, builtin.title, kind.title, difference.ours, cmp.Diff(want.String(), got.String()))
		}
	}
}

func (r result) String() string {
	return fmt.Sprintf("exit code %d\n%s%s", r.Code, indent("1> ", r.Stdout), indent("2> ", r.Stderr))
}

func indent(prefix, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + prefix + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}

func TestKubectl(t *testing.T) {
	for _, scene := range scenes {
		for _, kind := range kindsOf(scene) {
			t.Run(scene.name+"/"+kind.title, func(t *testing.T) {
				t.Parallel()
				play(t, scene, kind)
			})
		}
	}
}
