package component

import (
	"cmp"
	"strings"
)

// Elder returns the resource that a resource's Pulsar identity belongs to, nil if
// that is the resource itself: the oldest of those that have it in the namespace,
// whatever their kinds.
func (i *Informers) Elder(component *Component) *Component {
	if component.Broken {
		return nil
	}
	eldest := component
	for _, other := range i.namesakes(component) {
		if byAge(other, eldest) < 0 {
			eldest = other
		}
	}
	if eldest == component || eldest.UID == component.UID {
		return nil
	}
	return eldest
}

// byAge orders resources so that the same one is always first.
func byAge(a, b *Component) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(string(a.UID), string(b.UID)))
}

// namesakes returns the resources with a resource's Pulsar identity, itself among
// them if it is known.
func (i *Informers) namesakes(component *Component) []*Component {
	var found []*Component
	for _, kind := range i.kinds {
		items, err := kind.informer.GetIndexer().ByIndex(byIdentity, identityKey(component))
		if err != nil {
			continue
		}
		for _, item := range items {
			if other, ok := item.(*Component); ok {
				found = append(found, other)
			}
		}
	}
	return found
}

func identityKey(component *Component) string {
	return component.Namespace + "/" + component.Identity.String()
}

func identityKeys(item any) ([]string, error) {
	component, ok := item.(*Component)
	if !ok || component.Broken {
		return nil, nil
	}
	return []string{identityKey(component)}, nil
}
