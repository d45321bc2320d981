package javaclass

import "strings"

// The names that Pulsar's checks ask for.
const (
	JavaFunction      = "java.util.function.Function"
	Collection        = "java.util.Collection"
	Map               = "java.util.Map"
	CompletableFuture = "java.util.concurrent.CompletableFuture"
	Function          = "org.apache.pulsar.functions.api.Function"
	WindowFunction    = "org.apache.pulsar.functions.api.WindowFunction"
	Record            = "org.apache.pulsar.functions.api.Record"
	SerDe             = "org.apache.pulsar.functions.api.SerDe"
	Source            = "org.apache.pulsar.io.core.Source"
	BatchSource       = "org.apache.pulsar.io.core.BatchSource"
	Sink              = "org.apache.pulsar.io.core.Sink"
	Schema            = "org.apache.pulsar.client.api.Schema"
	CryptoKeyReader   = "org.apache.pulsar.client.api.CryptoKeyReader"
)

// runnerClasses are classes that are in every runner and not in packages, as far as
// they stand between a user's class and the names above. What isn't here is Unknown,
// and never refused.
var runnerClasses = map[string]*Class{
	object.Name:       {Name: object.Name},
	JavaFunction:      known(JavaFunction, true, "T R"),
	CompletableFuture: known(CompletableFuture, false, "T"),
	Map:               known(Map, true, "K V"),
	Function:          known(Function, true, "X T"),
	WindowFunction:    known(WindowFunction, true, "X T"),
	Record:            known(Record, true, "T"),
	SerDe:             known(SerDe, true, "T"),
	Source:            known(Source, true, "T"),
	BatchSource:       known(BatchSource, true, "T"),
	Sink:              known(Sink, true, "T"),
	Schema:            known(Schema, true, "T"),
	CryptoKeyReader:   known(CryptoKeyReader, true, ""),

	"java.lang.Iterable":            known("java.lang.Iterable", true, "T"),
	Collection:                      known(Collection, true, "E", "java.lang.Iterable"),
	"java.util.List":                known("java.util.List", true, "E", Collection),
	"java.util.Set":                 known("java.util.Set", true, "E", Collection),
	"java.util.SortedSet":           known("java.util.SortedSet", true, "E", "java.util.Set"),
	"java.util.Queue":               known("java.util.Queue", true, "E", Collection),
	"java.util.Deque":               known("java.util.Deque", true, "E", "java.util.Queue"),
	"java.util.ArrayList":           known("java.util.ArrayList", false, "E", "java.util.List"),
	"java.util.LinkedList":          known("java.util.LinkedList", false, "E", "java.util.List"),
	"java.util.HashSet":             known("java.util.HashSet", false, "E", "java.util.Set"),
	"java.lang.String":              known("java.lang.String", false, ""),
	"java.lang.Number":              known("java.lang.Number", false, ""),
	"java.lang.Boolean":             known("java.lang.Boolean", false, ""),
	"java.lang.Character":           known("java.lang.Character", false, ""),
	"java.lang.Byte":                known("java.lang.Byte", false, "", "java.lang.Number"),
	"java.lang.Short":               known("java.lang.Short", false, "", "java.lang.Number"),
	"java.lang.Integer":             known("java.lang.Integer", false, "", "java.lang.Number"),
	"java.lang.Long":                known("java.lang.Long", false, "", "java.lang.Number"),
	"java.lang.Float":               known("java.lang.Float", false, "", "java.lang.Number"),
	"java.lang.Double":              known("java.lang.Double", false, "", "java.lang.Number"),
	"java.lang.Void":                known("java.lang.Void", false, ""),
	"java.lang.AutoCloseable":       known("java.lang.AutoCloseable", true, ""),
	"java.io.Serializable":          known("java.io.Serializable", true, ""),
	"java.util.function.BiFunction": known("java.util.function.BiFunction", true, "T U R"),

	"org.apache.pulsar.functions.api.KVRecord": {
		Name: "org.apache.pulsar.functions.api.KVRecord", Interface: true, Super: &object,
		Parameters: []Parameter{{Name: "K", Bound: object}, {Name: "V", Bound: object}},
		Interfaces: []Type{{Name: Record, Arguments: []Type{{Name: "org.apache.pulsar.common.schema.KeyValue"}}}},
	},
	"org.apache.pulsar.functions.api.utils.FunctionRecord": known("org.apache.pulsar.functions.api.utils.FunctionRecord", false, "T", Record),
	"org.apache.pulsar.functions.api.utils.IdentityFunction": {
		Name: "org.apache.pulsar.functions.api.utils.IdentityFunction", Super: &object,
		Interfaces: []Type{{Name: Function, Arguments: []Type{object, object}}},
	},
	"org.apache.pulsar.io.core.PushSource":      known("org.apache.pulsar.io.core.PushSource", false, "T", Source),
	"org.apache.pulsar.io.core.BatchPushSource": known("org.apache.pulsar.io.core.BatchPushSource", false, "T", BatchSource),
}

// known makes a class of the names of its type parameters and of those supertypes
// that matter. Each supertype gets the class's own parameters as its arguments.
func known(name string, isInterface bool, parameters string, supertypes ...string) *Class {
	class := &Class{Name: name, Interface: isInterface, Super: &object}
	var arguments []Type
	for _, parameter := range strings.Fields(parameters) {
		class.Parameters = append(class.Parameters, Parameter{Name: parameter, Bound: object})
		arguments = append(arguments, Type{Variable: parameter})
	}
	for _, supertype := range supertypes {
		class.Interfaces = append(class.Interfaces, Type{Name: supertype, Arguments: arguments})
	}
	return class
}
