package status

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// apiServerAccount is whom functionmesh-apiserver is.
const apiServerAccount = "system:serviceaccount:" + devenv.SystemNamespace + ":" + devenv.APIServerServiceAccount

// patches returns when kube-apiserver received the server's successful patches of a
// Function, in order.
func patches(namespace, name string) ([]time.Time, error) {
	file, err := os.Open(env.ControlPlane.AuditLogPath())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var times []time.Time
	lines := bufio.NewScanner(file)
	const maxLine = 1 << 20
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var event struct {
			Verb, Stage string
			User        struct{ Username string }
			ObjectRef   struct{ Resource, Namespace, Name string }
			Received    metav1.MicroTime   `json:"requestReceivedTimestamp"`
			Response    struct{ Code int } `json:"responseStatus"`
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			// The last line may be half written.
			continue
		}
		if ref := event.ObjectRef; event.Verb == "patch" && event.Stage == "ResponseComplete" && event.Response.Code == 200 &&
			event.User.Username == apiServerAccount && ref.Resource == "functions" && ref.Namespace == namespace && ref.Name == name {
			times = append(times, event.Received.Time)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times, lines.Err()
}
