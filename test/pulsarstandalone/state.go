package pulsarstandalone

import (
	"net"
	"path/filepath"
	"strconv"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// withState returns with which arguments, and which variable, Pulsar has a table service
// on a port: only where it keeps its metadata in ZooKeeper. Else it keeps functions' state
// among that, by a protocol of its own.
func withState(dir string, port int) (arguments []string, variable string, err error) {
	others := make([]int, 2)
	for i := range others {
		if others[i], err = controlplane.FreePort(); err != nil {
			return nil, "", err
		}
	}
	return []string{
		"--stream-storage-port", strconv.Itoa(port), "--bookkeeper-port", strconv.Itoa(others[0]),
		"--zookeeper-port", strconv.Itoa(others[1]), "--zookeeper-dir", filepath.Join(dir, "zookeeper"),
	}, "PULSAR_STANDALONE_USE_ZOOKEEPER=1", nil
}

// StateURL returns the URL of a table service on a port of this machine.
func StateURL(port int) string {
	return "bk://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(port))
}
