// Command pulsar-admin-shim serves Pulsar's admin REST API for functions from the
// API group admin.functionmesh.io.
package main

import (
	"os"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/version/verflag"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim"
	"github.com/function-mesh/functionmesh-apiserver/pkg/trigger"
)

func main() {
	// An exchange with Pulsar has a process of its own, which is this program again.
	if len(os.Args) == 2 && os.Args[1] == trigger.ChildArgument {
		os.Exit(trigger.RunChild())
	}
	os.Exit(cli.Run(newCommand()))
}

func newCommand() *cobra.Command {
	options := shim.NewOptions()
	command := &cobra.Command{
		Use:   "pulsar-admin-shim",
		Short: "Serve Pulsar's admin REST API for functions from the API group admin.functionmesh.io",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			verflag.PrintAndExitIfRequested()
			// Off unless asked for. It lets every line about a request name it.
			klog.EnableContextualLogging(true)
			if failures := options.Validate(); len(failures) > 0 {
				return utilerrors.NewAggregate(failures)
			}
			config, err := options.Config()
			if err != nil {
				return err
			}
			server, err := config.Complete().New()
			if err != nil {
				return err
			}
			return server.Run(genericapiserver.SetupSignalContext())
		},
	}
	options.AddFlags(command.Flags())
	verflag.AddFlags(command.Flags())
	return command
}
