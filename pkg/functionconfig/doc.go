// Package functionconfig is Pulsar's FunctionConfig as admin clients send and
// read it: its JSON form, the rules by which an update is merged into what
// exists, and the conversion to and from the PulsarFunction view.
//
// It exists apart from the REST server so that these rules, on which scripts
// depend, can be read and tested without HTTP. It knows no transport, no
// configuration and no custom resource, and it validates only what the view
// couldn't hold: everything else is for pkg/apis/admin/validation, which both
// doors share. Where it knowingly differs from Pulsar, docs/compatibility.md
// says so.
//
// The usual order of calls is, on create
//
//	config, err := Parse(body); config.Defaults(tenant, namespace, name); config.ToFunction(url)
//
// and on update
//
//	update, err := Parse(body); update.SetIdentity(tenant, namespace, name)
//	existing := FromFunction(function); merged, err := Merge(existing, update)
//	if Equal(existing, merged) && url == "" { refuse with ErrNoChange }
//	Apply(function, existing, merged, url)
package functionconfig
