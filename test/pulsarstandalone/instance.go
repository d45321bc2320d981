package pulsarstandalone

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// ServiceURL returns the URL for clients that send and receive messages.
func (p *Pulsar) ServiceURL() string {
	return "pulsar://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(p.binary))
}

// TLSServiceURL returns the one for clients that use TLS, at a host that is this machine.
func (p *Pulsar) TLSServiceURL(host string) string {
	return "pulsar+ssl://" + net.JoinHostPort(host, strconv.Itoa(p.tlsBinary))
}

// Send sends texts to a topic.
func (p *Pulsar) Send(ctx context.Context, topic string, texts ...string) error {
	arguments := append(append(p.java[1:len(p.java):len(p.java)], "org.example.Send", p.ServiceURL(), topic), texts...)
	if output, err := exec.CommandContext(ctx, p.java[0], arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("could not send messages: %w: %s", err, output)
	}
	return nil
}

// ReadTable reads keys of a table of the table service as a client does that finds out by
// itself which range has a key, and puts each key under the key "back-" and itself. It
// returns the hash of each key, by which it has its range, and its value.
func (p *Pulsar) ReadTable(ctx context.Context, namespace, table string, keys ...string) (hashes []int64, values []string, err error) {
	arguments := append(append(p.java[1:len(p.java):len(p.java)], "org.example.Tables", StateURL(p.state), namespace, table), keys...)
	output, err := exec.CommandContext(ctx, p.java[0], arguments...).CombinedOutput()
	if err != nil {
		return nil, nil, fmt.Errorf("could not read a table: %w: %s", err, output)
	}
	for line := range strings.Lines(string(output)) {
		rest, ok := strings.CutPrefix(line, "TABLE ")
		if !ok {
			continue
		}
		number, value, _ := strings.Cut(strings.TrimSuffix(rest, "\n"), " ")
		hash, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("could not read what was printed of a table: %w", err)
		}
		hashes, values = append(hashes, hash), append(values, value)
	}
	if len(values) != len(keys) {
		return nil, nil, fmt.Errorf("%d of %d keys were read: %s", len(values), len(keys), output)
	}
	return hashes, values, nil
}

// StartInstance starts an instance of a function in a process of its own, with the
// arguments that Function Mesh's operator gives it. Its port, by which it can be asked
// what it does, is open on all addresses.
func (p *Pulsar) StartInstance(ctx context.Context, name, details string, id int) (*controlplane.Server, error) {
	metricsPort, err := controlplane.FreePort()
	if err != nil {
		return nil, err
	}
	return controlplane.StartServer(ctx, controlplane.ServerOptions{
		Process: controlplane.ProcessOptions{
			Name: name, Path: p.java[0], LogPath: filepath.Join(p.dir, name+".log"), Env: []string{"LC_ALL=C.UTF-8"},
		},
		Args: func(port int) []string {
			arguments := append(p.java[1:len(p.java):len(p.java)], "org.example.Instance",
				"--jar", p.Code.Jar, "--instance_id", strconv.Itoa(id), "--function_id", name, "--function_version", "0",
				"--function_details", details, "--pulsar_serviceurl", p.ServiceURL(), "--max_buffered_tuples", "100",
				"--port", strconv.Itoa(port), "--metrics_port", strconv.Itoa(metricsPort),
				"--expected_healthcheck_interval", "0", "--cluster_name", "kubernetes")
			if p.state != 0 {
				arguments = append(arguments, "--state_storage_serviceurl", StateURL(p.state))
			}
			return arguments
		},
		Ready: func(ctx context.Context, port int) error {
			connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(controlplane.Loopback, strconv.Itoa(port)))
			if err != nil {
				return err
			}
			return connection.Close()
		},
		Grace: stopGrace,
	})
}
