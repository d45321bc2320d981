package kubectlparity

import "testing"

// difference is a command on which the kinds of this group are meant to differ from
// built-in ones.
type difference struct {
	// why is the reason.
	why string
	// ours is part of what kubectl answers for a kind of this group.
	ours string
}

// Reasons that several commands share.
const (
	// The patch could be one that kubectl can apply to any kind, as with custom
	// resources, but then the server would have to refuse strategic merge patches,
	// which kubectl patch sends unless it is told otherwise.
	noLocalPatch = "kubectl itself can apply a strategic merge patch only to kinds that it was built with"
	readOnly     = "the status is published by the server's own loop, and nobody else writes it"
	resumeFirst  = "what is suspended, which scaling to 0 is, is resumed by who means that, not by an autoscaler"
	typedItems   = "each item of a list says what it is, as with custom resources"
)

// differences are all of them, by scene and command.
var differences = map[string]difference{
	"create something wrong: create -f - (wrong name)": {
		why:  "Function Mesh names a Service after the object, and names of Services are narrower",
		ours: "a DNS-1035 label must consist of",
	},
	"delete: delete <kind>/d --cascade=foreground": {
		why:  "the operator recreates what a foreground deletion waits for, so that it would never end",
		ours: "Warning: deleting in the background",
	},
	"get: get all -o name": {
		why:  "all is what Kubernetes itself has and not meant for more; the category here is pulsar",
		ours: "exit code 0\n",
	},
	"patch: patch <kind> echo -p '{\"spec\":{\"<number>\":7}}' --dry-run=client": {
		why: noLocalPatch, ours: "try --type merge",
	},
	"patch: patch <kind> echo --subresource=status --type=merge -p '{\"status\":{\"bogus\":5}}'": {
		why: readOnly, ours: "(MethodNotAllowed)",
	},
	"scale: scale <kind>/echo --replicas=2": {
		why: resumeFirst, ours: "is suspended: resume first",
	},
	"apply: apply -f - --dry-run=client (with a change)": {
		why: noLocalPatch, ours: "applying patch locally",
	},
	"apply several: apply -f - --prune -l set=a --prune-allowlist=<group>/<version>/<Kind> --dry-run=client": {
		why: noLocalPatch, ours: "applying patch locally",
	},
	"raw: get --raw /apis/<api>/namespaces/<ns>/<kinds>": {
		why: typedItems, ours: "- apiVersion: <api>",
	},
	"raw: get --raw /apis/<api>/namespaces/<ns>/<kinds>?limit=1": {
		why: typedItems, ours: "- apiVersion: <api>",
	},
	"raw: get --raw /apis/<api>/namespaces/<ns>/<kinds>?limit=1&continue=<continue>": {
		why: typedItems, ours: "- apiVersion: <api>",
	},
	"raw: get --raw /apis/<api>/namespaces/<ns>/<kinds>?limit=-1": {
		why: typedItems, ours: "- apiVersion: <api>",
	},
	"raw: get --raw /apis/<api>/namespaces/<ns>/<kinds>?resourceVersion=1&resourceVersionMatch=NotOlderThan": {
		why: typedItems, ours: "- apiVersion: <api>",
	},
	"raw: get --raw /apis/<api>/<kinds>?fieldSelector=metadata.namespace%3D<ns>": {
		why: typedItems, ours: "- apiVersion: <api>",
	},
}

// TestDifferences checks that each listed difference is one of a command that is run.
func TestDifferences(t *testing.T) {
	run := map[string]bool{}
	for _, scene := range scenes {
		for _, step := range scene.steps {
			if run[scene.key(step)] {
				t.Errorf("two commands are %q", scene.key(step))
			}
			run[scene.key(step)] = true
		}
	}
	for key := range differences {
		if !run[key] {
			t.Errorf("no command is %q, but it is listed as a difference", key)
		}
	}
	t.Logf("%d commands", len(run))
}
