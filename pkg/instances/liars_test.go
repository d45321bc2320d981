package instances

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
	"github.com/function-mesh/functionmesh-apiserver/pkg/instances/instancetest"
)

// TestLiars asks liars of all sorts among honest instances: each has an error of its own,
// or figures that can be so, and the honest ones have what they say.
func TestLiars(t *testing.T) {
	t.Parallel()
	lies := append(instancetest.Figures(), instancetest.Falsehoods()...)
	objects := []runtime.Object{statefulSet()}
	for i, lie := range lies {
		for id, peer := range map[int]instancetest.Peer{2 * i: lie.Peer, 2*i + 1: instancetest.Honest(
			&instancecontrol.FunctionStatus{Running: true, NumReceived: int64(i), InstanceId: fmt.Sprint(2*i + 1)}, &instancecontrol.MetricsData{ReceivedTotal: int64(i)})} {
			address := fmt.Sprintf("127.0.9.%d", id+1)
			objects = append(objects, pod(id, address, at(t, address, peer)))
		}
	}
	instances, _ := among(objects...)
	found, err := instances.Of(t.Context(), function(int32(2*len(lies))), 0, int32(2*len(lies)))
	if err != nil {
		t.Fatal(err)
	}
	for i, lie := range lies {
		honest := found[2*i+1]
		if honest.Error != "" || honest.Status.NumReceived != int64(i) || honest.Metrics.ReceivedTotal != int64(i) {
			t.Errorf("beside %s there is %+v", lie.Name, honest)
		}
		t.Run(lie.Name, func(t *testing.T) { checkLie(t, lie, found[2*i]) })
	}
	if taken := instances.slots.Taken(); taken != 0 {
		t.Errorf("%d still count as being asked", taken)
	}
}

func checkLie(t *testing.T, lie instancetest.Lie, got v1alpha1.PulsarInstance) {
	t.Helper()
	if len(lie.Errors) > 0 {
		if got.Status != nil || got.Metrics != nil || strings.Contains(got.Error, instancetest.Secret) ||
			!slices.ContainsFunc(lie.Errors, func(want string) bool { return strings.HasPrefix(got.Error, want) }) {
			t.Errorf("of it is said %+v", got)
		}
		return
	}
	text, err := json.Marshal(got)
	if err != nil || len(text) > maxFigures/10 || !utf8.Valid(text) || got.Error != "" {
		t.Errorf("of it is said %q with %d bytes (%v)", got.Error, len(text), err)
		return
	}
	for _, of := range []any{*got.Status, got.Metrics.InstanceCounts, got.Metrics.OneMinute, *got.Metrics} {
		for _, field := range reflect.ValueOf(of).Fields() {
			if field.CanInt() && field.Int() < 0 || field.CanFloat() && !(field.Float() >= 0 && field.Float() <= maxLatency) {
				t.Errorf("a number of it is %v", field)
			}
		}
	}
	for _, exceptions := range [][]v1alpha1.InstanceException{got.Status.LatestUserExceptions, got.Status.LatestSinkExceptions} {
		if count := len(exceptions); count > maxExceptions || count == maxExceptions && exceptions[count-1].TimestampMs != 49 {
			t.Errorf("of its exceptions are taken over %+v", exceptions)
		}
	}
	for name, value := range got.Metrics.UserMetrics {
		if math.IsNaN(value) || len(name) > maxText {
			t.Errorf("it has measured %v %q", value, name)
		}
	}
	if count := len(got.Metrics.UserMetrics); count > maxUserMetrics {
		t.Errorf("it has measured %d things", count)
	}
}

// TestFiguresShare proves that what many say together is bounded, and that each still
// says something.
func TestFiguresShare(t *testing.T) {
	text := strings.Repeat("<", maxText)
	var many []*instancecontrol.FunctionStatus_ExceptionInformation
	metrics := map[string]float64{}
	for i := range 2 * maxExceptions {
		many = append(many, &instancecontrol.FunctionStatus_ExceptionInformation{ExceptionString: text})
		metrics[fmt.Sprint(i, text)] = 1
	}
	status := &instancecontrol.FunctionStatus{LatestUserExceptions: many, LatestSystemExceptions: many, LatestSourceExceptions: many, LatestSinkExceptions: many}
	for _, count := range []int{1, 200, maxInstances} {
		taken := figuresOf(count)
		one, err := json.Marshal(v1alpha1.PulsarInstance{Status: taken.status(status), Metrics: taken.metrics(&instancecontrol.MetricsData{UserMetrics: metrics})})
		if err != nil {
			t.Fatal(err)
		}
		// What isn't text, such as names of members, isn't counted.
		if size := len(one); size*count > 2*maxFigures+count*5000 || size < maxFigures/count/2 && count > 1 {
			t.Errorf("one of %d has %d bytes", count, size)
		}
	}
	if got := figuresOf(1).status(status).LatestSinkExceptions; len(got) != maxExceptions || got[0].ExceptionString != text {
		t.Errorf("of one alone are taken over %d exceptions", len(got))
	}
	for _, cut := range []struct {
		text, want string
		size       int
	}{{"abc", "ab", 2}, {"aé", "a", 2}, {"aé", "aé", 3}, {"<a", "", 5}, {"<a", "<", 6}, {"\na", "\n", 2}, {"", "", 0}} {
		if got := shorten(cut.text, cut.size); got != cut.want {
			t.Errorf("%q cut to %d is %q", cut.text, cut.size, got)
		}
	}
}

// TestAddressOf proves that nobody is connected to in the name of a pod who can't be one.
func TestAddressOf(t *testing.T) {
	anywhere, _ := among()
	anywhere.networks = nil
	within, _ := among()
	within.networks = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd01::/64")}
	for address, want := range map[string]struct {
		anywhere, within bool
	}{
		"10.1.2.3": {true, true}, "10.2.2.3": {true, false}, "fd01::1": {true, true}, "fd02::1": {true, false},
		"127.0.0.1": {}, "::1": {}, "::ffff:127.0.0.1": {}, "169.254.169.254": {}, "::ffff:169.254.169.254": {}, "fe80::1": {}, "fe80::1%eth0": {},
		"fd01::1%eth0": {}, "0.0.0.0": {}, "::": {}, "224.0.0.1": {}, "255.255.255.255": {}, "ff02::1": {}, "": {}, "localhost": {}, "10.1.2.3:80": {},
	} {
		for instances, want := range map[*Instances]bool{anywhere: want.anywhere, within: want.within} {
			if _, ok := instances.addressOf(v1alpha1.FunctionKind, pod(0, address, 9093)); ok != want {
				t.Errorf("with networks %v, %q is asked: %t", instances.networks, address, ok)
			}
		}
	}
	node := pod(0, "10.1.2.3", 10250)
	node.Spec.HostNetwork = true
	if address, ok := anywhere.addressOf(v1alpha1.FunctionKind, node); ok {
		t.Errorf("on its node's network %s is asked", address)
	}
	if address, ok := within.addressOf(v1alpha1.FunctionKind, pod(0, "fd01::1", 77)); !ok || address != "[fd01::1]:77" {
		t.Errorf("an IPv6 address is asked at %s", address)
	}
}

// TestSlotsOfANamespace proves that instances that don't answer keep only those of their
// own Kubernetes namespace waiting.
func TestSlotsOfANamespace(t *testing.T) {
	const address = "127.0.7.2"
	instances, _ := among(statefulSet(), pod(0, address, at(t, address, instancetest.Honest(&instancecontrol.FunctionStatus{}, &instancecontrol.MetricsData{}))))
	for instances.slots.Enter("other") {
		t.Cleanup(func() { instances.slots.Leave("other") })
	}
	found, err := instances.Of(t.Context(), function(1), 0, 1)
	if err != nil || found[0].Error != "" || instances.slots.Taken() != maxConnections/2 {
		t.Errorf("beside %d of others it is %+v (%v)", instances.slots.Taken(), found, err)
	}
}
