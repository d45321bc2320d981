package validation

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What the operator writes into its shell commands without quotes: none of these
// matches what means something to a shell. Anchors are \A and \z, since $ matches
// before a last line break in other languages and is easily misread.
var (
	// shellWord is what needs no quoting, shellClass a class that needs none: a
	// nested class has a $, after which a shell would look for a variable.
	shellWord  = regexp.MustCompile(`\A[-=:.,+@%/\w]*\z`)
	shellClass = regexp.MustCompile(`\A[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\z`)
	// shellPath leaves out the colon, which separates the paths of a class path.
	shellPath = regexp.MustCompile(`\A(/[-+.,@%=\w]+)+/?\z`)
	// javaOption begins with a hyphen: the first word that doesn't is the class that
	// Java starts.
	javaOption = regexp.MustCompile(`\A-[-=:.,+@%/\w]+\z`)
	serviceURL = regexp.MustCompile(`\A[A-Za-z][-+.A-Za-z0-9]*://[-A-Za-z0-9._]+(:[0-9]{1,5})?(,[-A-Za-z0-9._]+(:[0-9]{1,5})?)*(/[-.\w]*)*\z`)

	plainFileName = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]*\z`)

	packageComponent = regexp.MustCompile(`\A[-+=:.,\w]+\z`)
	urlHost          = regexp.MustCompile(`\A[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?\z`)
	urlPath          = regexp.MustCompile(`\A/[-+=:.,@%~/\w]*\z`)
)

const unquoted = ": Function Mesh puts it into a shell command without quotes"

// checkShell checks a text that may be absent. The help says what matches.
func (c *checks) checkShell(path *field.Path, text string, pattern *regexp.Regexp, help string) {
	switch {
	case text == "":
	case len(text) > maxTextBytes:
		c.own(field.TooLong(path, text, maxTextBytes))
	case !pattern.MatchString(text):
		c.ownOf(field.Invalid(path, shortened(text), help+unquoted), text)
	}
}

func (c *checks) checkShellClass(path *field.Path, name string) {
	c.checkShell(path, name, shellClass,
		"must be the name of a class of letters of a to z in either case, digits, _ and dots, and no nested class")
}

func (c *checks) checkShellPath(path *field.Path, name string) {
	const help = "must be an absolute path of letters of a to z in either case, digits and - + . , @ % = _ without .."
	c.checkShell(path, name, shellPath, help)
	if shellPath.MatchString(name) && slices.Contains(strings.Split(name, "/"), "..") {
		c.own(field.Invalid(path, shortened(name), help))
	}
}
