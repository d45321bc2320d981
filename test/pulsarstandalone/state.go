package pulsarstandalone

import (
	"net"
	"path/filepath"
	"strconv"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// withState returns with which arguments, and which variable, Pulsar has a table service:
// only where it keeps its metadata in ZooKeeper. Without, it keeps functions' state there
// itself, by a protocol of its own.
func (p *Pulsar) withState(dir string) (arguments []string, variable string, err error) {
	ports := make([]int, 3)
	for i := range ports {
		if ports[i], err = controlplane.FreePort(); err != nil {
			return nil, "", err
		}
	}
	p.state = ports[0]
	return []string{
		"--stream-storage-port", strconv.Itoa(p.state), "--bookkeeper-port", strconv.Itoa(ports[1]),
		"--zookeeper-port", strconv.Itoa(ports[2]), "--zookeeper-dir", filepath.Join(dir, "zookeeper"),
	}, "PULSAR_STANDALONE_USE_ZOOKEEPER=1", nil
}

// StateURL returns the URL of the table service, where there is one.
func (p *Pulsar) StateURL() string {
	return "bk://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(p.state))
}
