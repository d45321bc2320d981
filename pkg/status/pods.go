package status

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// patience is how long a pod may have a problem that somebody is about to solve: a
// cluster autoscaler adds a node, a tool that applied the object goes on to the
// Secret. Only then is the object stalled, which makes who waits for it give up.
const patience = time.Minute

// reasonUnschedulable is the scheduler's, and the others are the kubelet's.
const (
	reasonUnschedulable = "Unschedulable"
	reasonConfigError   = "CreateContainerConfigError"
)

// starting are the reasons for which containers wait when all is well.
var starting = map[string]bool{"ContainerCreating": true, "PodInitializing": true}

// hopeless are the reasons that the kubelet gives after it has tried repeatedly,
// or for what can't succeed.
var hopeless = map[string]bool{
	"CrashLoopBackOff":  true,
	"ImagePullBackOff":  true,
	"InvalidImageName":  true,
	"ErrImageNeverPull": true,
}

// telling are the reasons whose messages say what is wrong. Others may quote the
// command, or what the container wrote last, which is not everybody's to read.
var telling = map[string]bool{
	"ImagePullBackOff":  true,
	"ErrImagePull":      true,
	"InvalidImageName":  true,
	"ErrImageNeverPull": true,
	reasonConfigError:   true,
	reasonUnschedulable: true,
}

// problem is why a pod isn't ready.
type problem struct {
	pod, container string
	reason         string
	// detail is what else is known, fit for everybody who may see the object.
	detail string
	// since is when the pod stopped being well.
	since time.Time
	// current is false of a pod that is about to be replaced.
	current bool
}

// stalls tells whether a problem won't go away without help, and if that isn't
// certain yet, when it will be.
func (p *problem) stalls(now time.Time) (stalled bool, recheck time.Duration) {
	switch {
	case !p.current:
		return false, 0
	case hopeless[p.reason]:
		return true, 0
	case p.reason == reasonUnschedulable, p.reason == reasonConfigError:
		rest := p.since.Add(patience).Sub(now)
		return rest <= 0, max(rest, 0)
	}
	return false, 0
}

// String says which pod has which problem.
func (p *problem) String() string {
	text := "Pod " + p.pod
	if p.container != "" {
		text += ", container " + p.container
	}
	text += ": " + p.reason
	if p.detail != "" {
		text += " (" + p.detail + ")"
	}
	return text
}

// problems returns what is wrong with pods, the worst first.
func problems(pods []*corev1.Pod, set *appsv1.StatefulSet, now time.Time) []*problem {
	var found []*problem
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil {
			continue
		}
		if problem := problemOf(pod); problem != nil {
			revision := set.Status.UpdateRevision
			problem.current = revision == "" || pod.Labels[appsv1.StatefulSetRevisionLabel] == revision
			found = append(found, problem)
		}
	}
	rank := func(p *problem) int {
		if stalled, _ := p.stalls(now); stalled {
			return 0
		}
		if p.current {
			return 1
		}
		return 2
	}
	slices.SortFunc(found, func(a, b *problem) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a.pod), len(b.pod)), strings.Compare(a.pod, b.pod))
	})
	return found
}

// problemOf returns what is wrong with a pod, or nil: one that is starting is well.
func problemOf(pod *corev1.Pod) *problem {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse && condition.Reason == reasonUnschedulable {
			return &problem{pod: pod.Name, reason: reasonUnschedulable, detail: detail(reasonUnschedulable, condition.Message), since: condition.LastTransitionTime.Time}
		}
	}
	since := pod.CreationTimestamp.Time
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionTrue {
			since = condition.LastTransitionTime.Time
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return &problem{pod: pod.Name, reason: cmp.Or(camelCase(pod.Status.Reason), "PodFailed"), since: since}
	}
	for _, container := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		reason, text := containerProblem(&container)
		if reason != "" {
			return &problem{pod: pod.Name, container: container.Name, reason: reason, detail: text, since: since}
		}
	}
	return nil
}

// containerProblem returns why a container doesn't run, "" if it does or is about
// to. How often it was restarted isn't said: the text would change each time.
func containerProblem(container *corev1.ContainerStatus) (reason, text string) {
	if waiting := container.State.Waiting; waiting != nil && waiting.Reason != "" && !starting[waiting.Reason] {
		text = detail(waiting.Reason, waiting.Message)
		if last := container.LastTerminationState.Terminated; text == "" && last != nil {
			text = ended(last)
		}
		return camelCase(waiting.Reason), text
	}
	if ending := container.State.Terminated; ending != nil && ending.ExitCode != 0 {
		return cmp.Or(camelCase(ending.Reason), "Error"), ended(ending)
	}
	return "", ""
}

func ended(state *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("last exit code %d", state.ExitCode)
	if reason := camelCase(state.Reason); reason != "" && reason != "Error" {
		text += ", " + reason
	}
	return text
}

// maxDetail bounds what is quoted, in bytes.
const maxDetail = 256

func detail(reason, message string) string {
	if !telling[reason] {
		return ""
	}
	return shorten(strings.Join(strings.Fields(message), " "), maxDetail)
}

var reasonPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_,:]{0,127}$`)

// camelCase returns a reason if it can be a condition's, and "" otherwise.
func camelCase(reason string) string {
	if reasonPattern.MatchString(reason) {
		return strings.TrimRight(reason, ",:")
	}
	return ""
}

func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const end = "…"
	cut := limit - len(end)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + end
}

// missingPattern is how the kubelet says that it waits for something.
var missingPattern = regexp.MustCompile(`^(?i:(secret|configmap)) "([^"]{1,253})" not found$`)

// missingOf returns what a pod waits for that isn't there, as the kubelet says it.
func missingOf(found []*problem) []Reference {
	var missing []Reference
	for _, problem := range found {
		if match := missingPattern.FindStringSubmatch(problem.detail); problem.reason == reasonConfigError && match != nil {
			reference := Reference{Kind: SecretKind, Name: match[2]}
			if strings.EqualFold(match[1], ConfigMapKind) {
				reference.Kind = ConfigMapKind
			}
			if !slices.Contains(missing, reference) {
				missing = append(missing, reference)
			}
		}
	}
	return missing
}

// PodProblem returns what is wrong with a pod, in one word and in a few, fit for
// everybody who may see the object that it is of. Both are empty of one that is well, or
// starting.
func PodProblem(pod *corev1.Pod) (reason, message string) {
	found := problemOf(pod)
	if found == nil {
		return "", ""
	}
	return found.reason, found.String() + "."
}
