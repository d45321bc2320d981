// Command functionmesh-apiserver serves the API group admin.functionmesh.io.
package main

import (
	"os"

	"github.com/spf13/cobra"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apiserver"
)

func main() {
	os.Exit(cli.Run(newCommand()))
}

func newCommand() *cobra.Command {
	options := apiserver.NewOptions()
	command := &cobra.Command{
		Use:          "functionmesh-apiserver",
		Short:        "Serves Pulsar functions as Kubernetes objects",
		Long:         "Serves the API group admin.functionmesh.io: Apache Pulsar functions as Kubernetes objects, each a view of a Function Mesh custom resource.",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			return apiserver.Run(command.Context(), options)
		},
	}
	command.SetContext(genericapiserver.SetupSignalContext())
	options.AddFlags(command.Flags())
	return command
}
