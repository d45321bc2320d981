package inspect_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/inspect"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass/classtest"
)

// maxInspection is more than looking into any file of a fuzzer's size should take.
const maxInspection = time.Minute

// FuzzComplete has files looked into as code of every kind: whatever they are, the answer
// is one for people, in time, and says nothing that isn't a name.
func FuzzComplete(f *testing.F) {
	packed, err := os.ReadFile(filepath.Join("..", "archive", "testdata", "connector.nar"))
	if err != nil {
		f.Fatal(err)
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed, "org.example.Exclamation")
	f.Add(packed, "")
	f.Add(classtest.Jar(classes, map[string][]byte{"META-INF/services/pulsar-io.yaml": []byte("functionClass: a.Text\nsourceClass: a.Batch\nsinkClass: a.Sink")}), "")
	f.Add(classtest.Jar(nil, map[string][]byte{"f.py": nil, "f-1.0.dist-info/WHEEL": []byte("Wheel-Version: 1.0\nTag: py2.py3-none-any\n")}), "f.F")
	f.Add(classtest.Jar(nil, map[string][]byte{"f/src/f.py": nil, "f/deps/a.whl": nil}), "f.F")
	f.Add([]byte("def process(x): return x + 'ä'\n"), "f")
	f.Add(program[:4096], "")
	f.Fuzz(func(t *testing.T, file []byte, class string) {
		python, golang := &v1alpha1.PulsarFunction{}, &v1alpha1.PulsarFunction{}
		python.Spec.Python, golang.Spec.Go = &v1alpha1.Runtime{}, &v1alpha1.Runtime{}
		batches := &v1alpha1.PulsarSource{}
		batches.Spec.BatchSourceConfig = &v1alpha1.BatchSourceConfig{}
		windows := &v1alpha1.PulsarFunction{}
		windows.Spec.WindowConfig = &v1alpha1.WindowConfig{}
		for _, component := range []v1alpha1.Component{&v1alpha1.PulsarFunction{}, windows, &v1alpha1.PulsarSink{}, &v1alpha1.PulsarSource{}, batches, python, golang} {
			component.Common().ClassName = class
			component.Common().Package = &v1alpha1.Package{Location: "function://t/n/f@1"}
			ctx, cancel := context.WithTimeout(t.Context(), maxInspection)
			err := inspect.Complete(ctx, component, bytes.NewReader(file), int64(len(file)))
			late := ctx.Err() != nil
			cancel()
			var refusal *inspect.Refusal
			switch {
			case late:
				t.Fatalf("a %T takes for ever", component)
			case err != nil && !errors.As(err, &refusal):
				t.Errorf("a %T: %v is no refusal", component, err)
			case err != nil && len(err.Error()) > 4096+2*len(class):
				t.Errorf("a %T: a message of %d bytes", component, len(err.Error()))
			}
			if name := component.Common().Package.FileName; name != "" && name != filepath.Base(name) {
				t.Errorf("a %T: the file is called %q", component, name)
			}
		}
	})
}
