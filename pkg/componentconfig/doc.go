// Package componentconfig is Pulsar's FunctionConfig, SinkConfig and SourceConfig as
// admin clients send and read them: their JSON form, the rules by which an update is
// merged into what exists, and the conversion to and from the views.
//
// It exists apart from the REST server so that these rules, on which scripts
// depend, can be read and tested without HTTP. It knows no transport, no
// configuration and no custom resource, and it validates only what a view couldn't
// hold: everything else is for pkg/apis/admin/validation, which both doors share.
// Where it knowingly differs from Pulsar, docs/compatibility.md says so.
//
// What the kinds share stands in Common and Inputs, and is parsed, merged and
// converted once; a kind's own files have what differs. FormOf gives a caller that
// serves all kinds the same three operations for each.
package componentconfig
