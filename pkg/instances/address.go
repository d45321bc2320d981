package instances

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const (
	// portName is what the operator calls the port by which an instance is asked.
	portName = "tcp-grpc"
	// defaultPort is the one that it has unless the pod says otherwise.
	defaultPort = 9093
)

// addressOf returns the address and port at which a pod's instance is asked, and false if
// that would be somebody else.
//
// Who may make pods chooses the port, and on its node's network the address is the node's:
// anything there could be connected to. The kubelet, or who has its rights, chooses the
// address. As kube-apiserver does when it leads requests to pods, those of this machine
// and of its link are refused, where services are that trust whoever reaches them.
func (i *Instances) addressOf(kind v1alpha1.ComponentKind, pod *corev1.Pod) (string, bool) {
	address, err := netip.ParseAddr(pod.Status.PodIP)
	if err != nil || pod.Spec.HostNetwork || !i.reaches(address) {
		return "", false
	}
	return netip.AddrPortFrom(address, portOf(kind, pod)).String(), true
}

// reaches tells whether a pod can have an address.
func (i *Instances) reaches(address netip.Addr) bool {
	if len(i.networks) == 0 {
		// An IPv4 address may be written as an IPv6 one.
		return address.Unmap().IsGlobalUnicast() && address.Zone() == ""
	}
	for _, network := range i.networks {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// portOf returns the port by which a pod's instance is asked.
func portOf(kind v1alpha1.ComponentKind, pod *corev1.Pod) uint16 {
	for _, container := range pod.Spec.Containers {
		if container.Name != containerName(kind) {
			continue
		}
		for _, port := range container.Ports {
			if port.Name == portName {
				// kube-apiserver takes no others.
				return uint16(port.ContainerPort)
			}
		}
	}
	return defaultPort
}
