package validation

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const goTextHelp = "may hold only letters of a to z in either case, digits and - = : . , + @ % / _ for a Go function"

// checkGoRunner checks what Function Mesh can tell a Go function: it gets its
// configuration as JSON in an unquoted word of a shell command, looks at one topic,
// and hears nothing of credentials, TLS and state.
func (c *checks) checkGoRunner() {
	if c.runtime() != runtimeGo {
		return
	}
	names := map[string]bool{}
	for _, input := range c.inputTopics(c.path) {
		names[input.name] = true
		c.checkShell(input.path, input.name, shellWord, goTextHelp)
	}
	// The operator takes the first of the inputs, and crashes where there is none.
	if len(names) > 1 || len(c.input.Inputs) != 1 {
		c.own(field.Invalid(c.child("inputs"), omitted,
			"a Go function consumes exactly one topic in Function Mesh, which inputs must name"))
	}
	const noPattern = "a Go function consumes no patterns in Function Mesh, only exactly one topic"
	if c.input.TopicsPattern != "" {
		c.own(field.Forbidden(c.child("topicsPattern"), noPattern))
	}
	for _, name := range sortedKeys(c.input.InputSpecs) {
		if c.input.InputSpecs[name].RegexPattern {
			c.own(field.Forbidden(c.child("inputSpecs").Key(name).Child("regexPattern"), noPattern))
		}
	}
	for _, text := range []topic{
		{c.output.Output, c.child("output")},
		{c.spec.LogTopic, c.child("logTopic")},
		{c.input.DeadLetterTopic, c.child("deadLetterTopic")},
		{c.input.SubscriptionName, c.child("subscriptionName")},
	} {
		c.checkShell(text.path, text.name, shellWord, goTextHelp)
	}
	const untold = "a Go function gets none in Function Mesh"
	for _, part := range []struct {
		member, text string
		set          bool
		of           func(*subject) any
	}{
		{"secrets", untold, len(c.spec.Secrets) > 0, func(s *subject) any { return s.spec.Secrets }},
		{"auth", untold, c.spec.Auth != nil, func(s *subject) any { return s.spec.Auth }},
		{"tls", untold, c.spec.TLS != nil, func(s *subject) any { return s.spec.TLS }},
		{"stateConfig", "the Function Mesh operator takes no state for a Go function", c.spec.StateConfig != nil,
			func(s *subject) any { return s.spec.StateConfig }},
		{"userConfig", "a Go function can't get it in Function Mesh, which puts it into a shell command without quotes",
			c.hasUserConfig(), func(s *subject) any { return s.function.UserConfig }},
	} {
		if part.set && !c.kept(part.of) {
			c.own(field.Forbidden(c.child(part.member), part.text))
		}
	}
}

// hasUserConfig tells whether there is any, or something that is no JSON object.
func (c *checks) hasUserConfig() bool {
	if c.function.UserConfig == nil || len(c.function.UserConfig.Raw) == 0 {
		return false
	}
	var object map[string]json.RawMessage
	return json.Unmarshal(c.function.UserConfig.Raw, &object) != nil || len(object) > 0
}
