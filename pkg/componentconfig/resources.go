package componentconfig

import (
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// maxCPU bounds the cores that can be asked for: above it a count of thousandths
// doesn't fit into a quantity.
const maxCPU = math.MaxInt64 / 1000

// cpuQuantity returns cores as a quantity of whole thousandths, to which Kubernetes
// rounds a pod's CPU up in any case.
func cpuQuantity(cores float64) (resource.Quantity, error) {
	tooMuch := &Error{Reason: "resources.cpu is too large"}
	if math.Abs(cores) >= maxCPU {
		return resource.Quantity{}, tooMuch
	}
	exact, err := resource.ParseQuantity(strconv.FormatFloat(cores, 'f', -1, 64))
	if err != nil {
		return resource.Quantity{}, tooMuch
	}
	return *resource.NewMilliQuantity(exact.MilliValue(), resource.DecimalSI), nil
}

// cores is the reverse of cpuQuantity.
func cores(quantity resource.Quantity) float64 {
	return float64(quantity.MilliValue()) / 1000
}

func bytesQuantity(bytes int64) resource.Quantity {
	return *resource.NewQuantity(bytes, resource.BinarySI)
}

// resourcesToView returns what a new instance gets. Pulsar has one number each, so
// that an instance is held to what it asked for.
func resourcesToView(resources *Resources) (*v1alpha1.Resources, error) {
	if resources == nil {
		return nil, nil
	}
	requests := corev1.ResourceList{}
	if resources.CPU != nil {
		cpu, err := cpuQuantity(*resources.CPU)
		if err != nil {
			return nil, err
		}
		requests[corev1.ResourceCPU] = cpu
	}
	if resources.RAM != nil {
		requests[corev1.ResourceMemory] = bytesQuantity(*resources.RAM)
	}
	view := &v1alpha1.Resources{Disk: diskToView(resources.Disk)}
	if len(requests) > 0 {
		view.Requests, view.Limits = requests, requests.DeepCopy()
	}
	if view.Requests == nil && view.Disk == nil {
		return nil, nil
	}
	return view, nil
}

// diskToView keeps the disk only when it says something: Pulsar's clients send the
// default whenever they send resources, and Function Mesh has no place for it.
func diskToView(disk *int64) *resource.Quantity {
	if disk == nil || *disk == defaultDisk {
		return nil
	}
	return ptr.To(bytesQuantity(*disk))
}

// resourcesFromView reads the requests, which are what Pulsar's numbers became.
// Limits may have room on top: read back, they would grow with every update.
func resourcesFromView(view *v1alpha1.Resources) *Resources {
	resources := &Resources{CPU: ptr.To(defaultCPU), RAM: ptr.To(defaultRAM), Disk: ptr.To(defaultDisk)}
	if view == nil {
		return resources
	}
	if cpu, found := view.Requests[corev1.ResourceCPU]; found {
		resources.CPU = ptr.To(cores(cpu))
	}
	if memory, found := view.Requests[corev1.ResourceMemory]; found {
		resources.RAM = ptr.To(memory.Value())
	}
	if view.Disk != nil {
		resources.Disk = ptr.To(view.Disk.Value())
	}
	return resources
}

// applyResources writes the numbers that an update changed.
func applyResources(spec *v1alpha1.ComponentSpec, existing, merged *Resources) error {
	if equalities.DeepEqual(existing, merged) {
		return nil
	}
	if spec.Resources == nil {
		spec.Resources = &v1alpha1.Resources{}
	}
	if !equalities.DeepEqual(existing.CPU, merged.CPU) {
		cpu, err := cpuQuantity(*merged.CPU)
		if err != nil {
			return err
		}
		setRequest(spec.Resources, corev1.ResourceCPU, cpu)
	}
	if !equalities.DeepEqual(existing.RAM, merged.RAM) {
		setRequest(spec.Resources, corev1.ResourceMemory, bytesQuantity(*merged.RAM))
	}
	if !equalities.DeepEqual(existing.Disk, merged.Disk) {
		spec.Resources.Disk = diskToView(merged.Disk)
	}
	return nil
}

// setRequest changes what an instance is reserved. The limit follows where it was
// the same number, as it is on every function that came through this door, or
// where no pod could be made otherwise. One that was set apart stays.
func setRequest(resources *v1alpha1.Resources, name corev1.ResourceName, quantity resource.Quantity) {
	former, requested := resources.Requests[name]
	limit, limited := resources.Limits[name]
	if resources.Requests == nil {
		resources.Requests = corev1.ResourceList{}
	}
	resources.Requests[name] = quantity
	follows := limited && ((requested && limit.Cmp(former) == 0) || limit.Cmp(quantity) < 0)
	if follows || (!requested && !limited) {
		if resources.Limits == nil {
			resources.Limits = corev1.ResourceList{}
		}
		resources.Limits[name] = quantity
	}
}
