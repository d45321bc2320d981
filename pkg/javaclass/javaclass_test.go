package javaclass_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass/classtest"
)

const object = "Ljava/lang/Object;"

// poolOf returns a pool of some classes.
func poolOf(t testing.TB, classes ...classtest.Class) *javaclass.Pool {
	t.Helper()
	parsed := map[string]*javaclass.Class{}
	for _, class := range classes {
		read, err := javaclass.Parse(class.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		parsed[class.Name] = read
	}
	return &javaclass.Pool{Find: func(name string) (*javaclass.Class, error) {
		if class := parsed[name]; class != nil {
			return class, nil
		}
		return nil, javaclass.ErrNotFound
	}}
}

func TestArguments(t *testing.T) {
	function, sink := "Lorg/apache/pulsar/functions/api/Function<", "Lorg/apache/pulsar/io/core/Sink<"
	tests := []struct {
		name    string
		asked   string
		classes []classtest.Class
		want    string
	}{
		{"directly", javaclass.Function, []classtest.Class{
			{Name: "a.F", Interfaces: []string{javaclass.Function}, Signature: object + function + "Ljava/lang/String;Ljava/lang/Integer;>;"},
		}, "java.lang.String java.lang.Integer"},
		{"arrays and inner classes", javaclass.Function, []classtest.Class{
			{Name: "a.F", Interfaces: []string{javaclass.Function}, Signature: object + function + "[BLjava/util/Map<TK;TV;>.Entry<TK;TV;>;>;"},
		}, "[B java.util.Map$Entry"},
		{"arrays of arrays of classes", javaclass.Sink, []classtest.Class{
			{Name: "a.F", Interfaces: []string{javaclass.Sink}, Signature: object + sink + "[[Ljava/lang/String;>;"},
		}, "[[Ljava.lang.String;"},
		{"through a generic superclass", javaclass.Function, []classtest.Class{
			{Name: "a.F", Super: "a.Base", Signature: "La/Base<Ljava/lang/Long;>;"},
			{Name: "a.Base", Interfaces: []string{javaclass.Function}, Signature: "<T:" + object + ">" + object + function + "[TT;Ljava/util/List<TT;>;>;"},
		}, "[Ljava.lang.Long; java.util.List<java.lang.Long>"},
		{"through an interface without parameters", javaclass.Function, []classtest.Class{
			{Name: "a.F", Interfaces: []string{"a.Strings"}},
			{Name: "a.Strings", Interface: true, Interfaces: []string{javaclass.Function}, Signature: object + function + "Ljava/lang/String;Ljava/lang/Void;>;"},
		}, "java.lang.String java.lang.Void"},
		{"the bound of a raw use", javaclass.Function, []classtest.Class{
			{Name: "a.F", Super: "a.Base"},
			{Name: "a.Base", Interfaces: []string{javaclass.Function}, Signature: "<T:Ljava/lang/Number;U:TT;>" + object + function + "TT;TU;>;"},
		}, "java.lang.Number java.lang.Number"},
		{"an interface bound", javaclass.Sink, []classtest.Class{
			{Name: "a.F", Interfaces: []string{javaclass.Sink}, Signature: "<T::Ljava/util/List<TT;>;:Ljava/io/Serializable;>" + object + sink + "TT;>;"},
		}, "java.util.List"},
		{"wildcards", javaclass.Function, []classtest.Class{
			{Name: "a.F", Interfaces: []string{javaclass.Function}, Signature: object + function + "Ljava/util/List<+Ljava/lang/Long;>;Ljava/util/List<*>;>;"},
		}, "java.util.List<java.lang.Long> java.util.List<java.lang.Object>"},
		{"a push source is a source", javaclass.Source, []classtest.Class{
			{Name: "a.F", Super: "org.apache.pulsar.io.core.PushSource", Signature: "Lorg/apache/pulsar/io/core/PushSource<[B>;"},
		}, "[B"},
		{"without arguments", javaclass.Sink, []classtest.Class{{Name: "a.F", Interfaces: []string{javaclass.Sink}}}, "java.lang.Object"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pool := poolOf(t, test.classes...)
			class, err := pool.Class("a.F")
			if err != nil {
				t.Fatal(err)
			}
			arguments, err := pool.Arguments(class, test.asked)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, argument := range arguments {
				text := argument.String()
				for _, inner := range argument.Arguments {
					if !strings.Contains(text, "Entry") {
						text += "<" + inner.String() + ">"
					}
				}
				got = append(got, text)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestImplements(t *testing.T) {
	pool := poolOf(t,
		classtest.Class{Name: "a.Sink", Interfaces: []string{javaclass.Sink}},
		classtest.Class{Name: "a.Derived", Super: "a.Sink"},
		classtest.Class{Name: "a.Other"},
		classtest.Class{Name: "a.Foreign", Super: "b.NotHere"},
		classtest.Class{Name: "a.ForeignSink", Super: "b.NotHere", Interfaces: []string{javaclass.Sink}},
		classtest.Class{Name: "a.Number", Super: "java.lang.Integer"},
		classtest.Class{Name: "a.Circle", Super: "a.Circle2"},
		classtest.Class{Name: "a.Circle2", Super: "a.Circle"},
	)
	tests := []struct {
		class, name string
		want        javaclass.Answer
		fails       bool
	}{
		{class: "a.Sink", name: javaclass.Sink, want: javaclass.Yes},
		{class: "a.Derived", name: javaclass.Sink, want: javaclass.Yes},
		{class: "a.Derived", name: "a.Sink", want: javaclass.Yes},
		{class: "a.Derived", name: javaclass.Source, want: javaclass.No},
		{class: "a.Other", name: javaclass.Sink, want: javaclass.No},
		{class: "a.Other", name: "java.lang.Object", want: javaclass.Yes},
		{class: "a.Foreign", name: javaclass.Sink, want: javaclass.Unknown},
		{class: "a.ForeignSink", name: javaclass.Sink, want: javaclass.Yes},
		{class: "a.Number", name: "java.lang.Number", want: javaclass.Yes},
		{class: "a.Number", name: "java.lang.Comparable", want: javaclass.Unknown},
		{class: "a.Number", name: "a.Other", want: javaclass.No},
		{class: "a.Circle", name: javaclass.Sink, want: javaclass.Unknown, fails: true},
	}
	for _, test := range tests {
		t.Run(test.class+" "+test.name, func(t *testing.T) {
			class, err := pool.Class(test.class)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := pool.Implements(class, test.name); got != test.want || (err != nil) != test.fails {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	valid := classtest.Class{Name: "a.F", Interfaces: []string{javaclass.Sink}, Signature: object + "Lorg/apache/pulsar/io/core/Sink<[B>;", Constructors: []string{"()V"}}
	whole := valid.Bytes()
	for length := range whole {
		if _, err := javaclass.Parse(whole[:length]); err == nil {
			t.Errorf("the first %d of %d bytes were taken", length, len(whole))
		}
	}
	for name, class := range map[string]classtest.Class{
		"a name with a semicolon":   {Name: "a;b"},
		"a name with a bracket":     {Name: "a[b"},
		"an empty name":             {Name: ""},
		"a name that is too long":   {Name: strings.Repeat("a", 2000)},
		"a name with a line break":  {Name: "a\nb"},
		"another superclass":        {Name: "a.F", Signature: "La/Other;"},
		"another interface":         {Name: "a.F", Interfaces: []string{javaclass.Sink}, Signature: object + "La/Other;"},
		"more interfaces":           {Name: "a.F", Signature: object + "La/Other;"},
		"an unclosed signature":     {Name: "a.F", Signature: "Ljava/lang/Object"},
		"a primitive argument":      {Name: "a.F", Interfaces: []string{javaclass.Sink}, Signature: object + "Lorg/apache/pulsar/io/core/Sink<I>;"},
		"no arguments in brackets":  {Name: "a.F", Interfaces: []string{javaclass.Sink}, Signature: object + "Lorg/apache/pulsar/io/core/Sink<>;"},
		"endless nesting":           {Name: "a.F", Signature: "<T:" + strings.Repeat("La/B<", 1000) + strings.Repeat(">;", 1000) + ">" + object},
		"endless arrays":            {Name: "a.F", Signature: "<T:" + strings.Repeat("[", 1000) + "I>" + object},
		"no parameters in brackets": {Name: "a.F", Signature: "<>" + object},
	} {
		if _, err := javaclass.Parse(class.Bytes()); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestHasConstructor(t *testing.T) {
	class, err := javaclass.Parse(classtest.Class{Name: "a.F", Constructors: []string{"()V", "(Ljava/util/Map;)V"}}.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !class.HasConstructor(javaclass.Map) || class.HasConstructor("java.lang.String") {
		t.Errorf("constructors %q", class.Constructors)
	}
}

// FuzzParse looks for class files that take the reader, or those who ask afterwards,
// out of their bounds.
func FuzzParse(f *testing.F) {
	f.Add(classtest.Class{Name: "a.F", Super: "a.G", Interfaces: []string{javaclass.Sink},
		Signature: "<T:Ljava/lang/Number;>La/G<TT;>;Lorg/apache/pulsar/io/core/Sink<[TT;>;", Constructors: []string{"()V"}}.Bytes())
	// What a Java compiler made of the functions and connectors in test/pulsarstandalone.
	compiled, err := filepath.Glob(filepath.Join("testdata", "*.class"))
	if err != nil || len(compiled) == 0 {
		f.Fatalf("no class files: %v", err)
	}
	for _, file := range compiled {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := javaclass.Parse(content); err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		class, err := javaclass.Parse(file)
		if err != nil {
			return
		}
		// A class that extends itself, whatever it is called, is the worst pool.
		pool := &javaclass.Pool{Find: func(name string) (*javaclass.Class, error) {
			if strings.HasPrefix(name, "java.") {
				return nil, javaclass.ErrNotFound
			}
			return class, nil
		}}
		for _, name := range []string{javaclass.Sink, javaclass.Function, class.Name} {
			arguments, err := pool.Arguments(class, name)
			if err != nil {
				if text := err.Error(); len(text) > 4096 {
					t.Errorf("a message of %d bytes", len(text))
				}
				continue
			}
			for _, argument := range arguments {
				_ = fmt.Sprint(argument.String(), argument.SourceName())
			}
		}
		if _, err := pool.Implements(class, "no.Such"); err != nil && errors.Is(err, javaclass.ErrNotFound) {
			t.Error("a class that isn't there is an error")
		}
	})
}
