package validation

import (
	"encoding/json"
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkOperatorRules checks what only the operator's webhook refuses. Its other
// rules for functions are Pulsar's too.
func (c *checks) checkOperatorRules() {
	if retries := c.spec.MaxMessageRetries; c.spec.DeadLetterTopic != "" && retries != nil && *retries == 0 {
		c.own(field.Invalid(c.child("maxMessageRetries"), *retries,
			"must be positive with a deadLetterTopic: the Function Mesh operator takes 0 for no limit"))
	}
}

// shellWord is what needs no quoting in a shell.
var shellWord = regexp.MustCompile(`^[-=:.,+@%/\w]*$`)

const goTextHelp = "may hold only letters of a to z in either case, digits and - = : . , + @ % / _ for a Go function:" +
	" Function Mesh puts it into a shell command without quotes"

// checkGoRunner checks what Function Mesh can tell a Go function: it gets its
// configuration as JSON in an unquoted word of a shell command, and looks at one
// topic.
func (c *checks) checkGoRunner() {
	if runtimeOf(c.spec) != runtimeGo {
		return
	}
	names := map[string]bool{}
	for _, input := range c.inputTopics() {
		names[input.name] = true
		c.checkShellWord(input)
	}
	// The operator takes the first of the inputs, and crashes where there is none.
	if len(names) > 1 || len(c.spec.Inputs) != 1 {
		c.own(field.Invalid(c.child("inputs"), omitted,
			"a Go function consumes exactly one topic in Function Mesh, which inputs must name"))
	}
	const noPattern = "a Go function consumes no patterns in Function Mesh, only exactly one topic"
	if c.spec.TopicsPattern != "" {
		c.own(field.Forbidden(c.child("topicsPattern"), noPattern))
	}
	for _, name := range sortedKeys(c.spec.InputSpecs) {
		if c.spec.InputSpecs[name].RegexPattern {
			c.own(field.Forbidden(c.child("inputSpecs").Key(name).Child("regexPattern"), noPattern))
		}
	}
	for _, text := range []topic{
		{c.spec.Output, c.child("output")},
		{c.spec.LogTopic, c.child("logTopic")},
		{c.spec.DeadLetterTopic, c.child("deadLetterTopic")},
		{c.spec.SubscriptionName, c.child("subscriptionName")},
	} {
		c.checkShellWord(text)
	}
	if len(c.spec.Secrets) > 0 && !c.kept(func(spec *functionSpec) any { return spec.Secrets }) {
		c.own(field.Forbidden(c.child("secrets"), "a Go function gets no secrets in Function Mesh"))
	}
	if c.hasUserConfig() && !c.kept(func(spec *functionSpec) any { return spec.UserConfig }) {
		c.own(field.Forbidden(c.child("userConfig"),
			"a Go function can't get it in Function Mesh, which puts it into a shell command without quotes"))
	}
}

func (c *checks) checkShellWord(text topic) {
	if !shellWord.MatchString(text.name) {
		c.ownOf(field.Invalid(text.path, shortened(text.name), goTextHelp), text.name)
	}
}

// hasUserConfig tells whether there is any, or something that is no JSON object.
func (c *checks) hasUserConfig() bool {
	if c.spec.UserConfig == nil || len(c.spec.UserConfig.Raw) == 0 {
		return false
	}
	var object map[string]json.RawMessage
	return json.Unmarshal(c.spec.UserConfig.Raw, &object) != nil || len(object) > 0
}
