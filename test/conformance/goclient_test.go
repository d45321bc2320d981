package conformance

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
)

// operations are those of pulsaradmin on one kind of component, which has C for its
// configuration.
type operations[C any] struct {
	create        func(*C, string) error
	createWithURL func(*C, string) error
	update        func(*C, string, *utils.UpdateOptions) error
	updateWithURL func(*C, string, *utils.UpdateOptions) error
	remove        func(tenant, namespace, name string) error
	get           func(tenant, namespace, name string) (C, error)
	list          func(tenant, namespace string) ([]string, error)
}

// goClient runs an operation of pulsaradmin: its kind, its name and the component's.
func (r *runner) goClient(namespace string, call call) (answer, error) {
	args, err := words(call.Go)
	if err != nil {
		return answer{}, err
	}
	if len(args) < 2 || len(args) > 3 {
		return answer{}, fmt.Errorf("%q is no operation", call.Go)
	}
	name := strings.Join(args[2:], "")
	switch args[0] {
	case "functions":
		return perform(functionOperations(r.goAPI), args[1], namespace, name, call)
	case "sinks":
		return perform(sinkOperations(r.goAPI), args[1], namespace, name, call)
	case "sources":
		return perform(sourceOperations(r.goAPI), args[1], namespace, name, call)
	default:
		return answer{}, fmt.Errorf("%q is no kind", args[0])
	}
}

func functionOperations(client pulsaradmin.Client) operations[utils.FunctionConfig] {
	api := client.Functions()
	return operations[utils.FunctionConfig]{
		api.CreateFunc, api.CreateFuncWithURL, api.UpdateFunction, api.UpdateFunctionWithURL,
		api.DeleteFunction, api.GetFunction, api.GetFunctions,
	}
}

func sinkOperations(client pulsaradmin.Client) operations[utils.SinkConfig] {
	api := client.Sinks()
	return operations[utils.SinkConfig]{
		api.CreateSink, api.CreateSinkWithURL, api.UpdateSink, api.UpdateSinkWithURL,
		api.DeleteSink, api.GetSink, api.ListSinks,
	}
}

func sourceOperations(client pulsaradmin.Client) operations[utils.SourceConfig] {
	api := client.Sources()
	return operations[utils.SourceConfig]{
		api.CreateSource, api.CreateSourceWithURL, api.UpdateSource, api.UpdateSourceWithURL,
		api.DeleteSource, api.GetSource, api.ListSources,
	}
}

func perform[C any](on operations[C], operation, namespace, name string, call call) (answer, error) {
	config, options, err := decode[C](namespace, name, call)
	if err != nil {
		return answer{}, err
	}
	var result any
	var failed error
	switch operation {
	case "create":
		if call.URL == "" {
			failed = on.create(config, "")
		} else {
			failed = on.createWithURL(config, call.URL)
		}
	case "update":
		if call.URL == "" {
			failed = on.update(config, "", options)
		} else {
			failed = on.updateWithURL(config, call.URL, options)
		}
	case "delete":
		failed = on.remove(tenant, namespace, name)
	case "get":
		result, failed = on.get(tenant, namespace, name)
	case "list":
		result, failed = on.list(tenant, namespace)
	default:
		return answer{}, fmt.Errorf("%q is no operation", operation)
	}
	if failed != nil {
		return answer{Exit: 1, Err: failed.Error()}, nil
	}
	if result == nil {
		return answer{}, nil
	}
	out, err := json.Marshal(result)
	if err != nil {
		return answer{}, fmt.Errorf("could not encode what pulsaradmin returned: %w", err)
	}
	value, _ := parse(string(out))
	if operation == "list" {
		sortTexts(value)
	}
	return answer{Out: encodeNormal(value)}, nil
}

// decode returns the configuration of a call, completed with what it is for.
func decode[C any](namespace, name string, call call) (*C, *utils.UpdateOptions, error) {
	members := map[string]any{}
	if call.Config != nil {
		if err := json.Unmarshal(call.Config, &members); err != nil {
			return nil, nil, fmt.Errorf("could not decode a configuration: %w", err)
		}
	}
	members["tenant"], members["namespace"], members["name"] = tenant, namespace, name
	complete, err := json.Marshal(members)
	if err != nil {
		return nil, nil, fmt.Errorf("could not encode a configuration: %w", err)
	}
	config := new(C)
	if err := json.Unmarshal(complete, config); err != nil {
		return nil, nil, fmt.Errorf("could not decode a configuration: %w", err)
	}
	options := utils.NewUpdateOptions()
	if call.Options != nil {
		if err := json.Unmarshal(call.Options, options); err != nil {
			return nil, nil, fmt.Errorf("could not decode options: %w", err)
		}
	}
	return config, options, nil
}
