package running

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
	"github.com/google/go-cmp/cmp"

	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// The same function on the same data at both sides: they share a table service, so they
// have names of their own.
const (
	theirState = "remembers-theirs"
	ourState   = "remembers-ours"
)

// remembering has a function run at both sides that counts what it gets and keeps the
// latest, and feeds both.
func remembering(ctx context.Context, t *testing.T) {
	t.Helper()
	pulsar := realPulsar(t)
	create := func(url, name string) {
		t.Helper()
		createAt(t, url, of("functions", "create", name, "--jar", code, "--classname", "org.example.Remember",
			"--inputs", "persistent://public/default/in-"+name, "--output", "persistent://public/default/out-"+name, "--subs-position", "Earliest")...)
	}
	create(pulsar.URL(), theirState)
	topic := "persistent://public/default/in-" + ourState
	startInstance(ctx, t, ourState, details(t, "FUNCTION", ourState, map[string]any{
		"className": "org.example.Remember", "source": sourceOf(topic), "sink": sinkOf("persistent://public/default/out-" + ourState),
	}))
	create(env.ShimURL(), ourState)
	for _, name := range []string{theirState, ourState} {
		if err := pulsar.Send(ctx, "persistent://public/default/in-"+name, "one", "two", "one"); err != nil {
			t.Fatal(err)
		}
	}
	for name, url := range map[string]string{theirState: pulsar.URL(), ourState: env.ShimURL()} {
		eventually(t, name+" to have processed all", func(ctx context.Context) error {
			_, status, err := get(ctx, url, functions+name+"/0/status")
			if err == nil && status["numSuccessfullyProcessed"] != 3.0 {
				err = fmt.Errorf("it says %v", status)
			}
			return err
		})
	}
}

// TestStateAsPulsar has state that a real instance keeps, and state that is put, read at
// both sides with pulsar-admin and with the Go client.
func TestStateAsPulsar(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	remembering(ctx, t)

	both := func(args ...string) (theirs, ours javaclient.Result) {
		t.Helper()
		run := func(url, name string) javaclient.Result {
			got := pulsarAdmin(t, url, of("functions", args[0], name, args[1:]...)...)
			got.Out, got.Err = strings.ReplaceAll(got.Out, name, "NAME"), strings.ReplaceAll(got.Err, name, "NAME")
			return got
		}
		return run(realPulsar(t).URL(), theirState), run(env.ShimURL(), ourState)
	}
	for _, args := range [][]string{
		{"querystate", "--key", "count of one"}, {"querystate", "--key", "count of two"},
		{"querystate", "--key", "latest"}, {"querystate", "--key", "bytes"}, {"querystate", "--key", "nothing"},
		{"putstate", "--state", `{"key":"text","stringValue":"first"}`}, {"querystate", "--key", "text"},
		{"putstate", "--state", `{"key":"text","stringValue":"näxt <&>"}`}, {"querystate", "--key", "text"},
		{"putstate", "--state", `{"key":"number","numberValue":5}`}, {"querystate", "--key", "number"},
		{"putstate", "--state", `{"key":"less","numberValue":-1}`}, {"querystate", "--key", "less"},
		{"putstate", "--state", `{"key":"eight","stringValue":"12345678"}`}, {"querystate", "--key", "eight"},
		{"putstate", "--state", `{"key":"raw","byteValue":[-1,0,1]}`}, {"querystate", "--key", "raw"},
		{"putstate", "--state", `{"key":"both","stringValue":"text","byteValue":[104,105]}`}, {"querystate", "--key", "both"},
		{"putstate", "--state", `{"key":"empty","stringValue":""}`}, {"querystate", "--key", "empty"},
		{"putstate", "--state", `{"key":"a key with?all&kinds=of#things%41","stringValue":"v"}`}, {"querystate", "--key", "a key with?all&kinds=of#things%41"},
	} {
		theirs, ours := both(args...)
		t.Logf("%v: %+v", args, theirs)
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Errorf("%v differs (-Pulsar +shim):\n%s", args, diff)
		}
	}
	for _, url := range []string{realPulsar(t).URL(), env.ShimURL()} {
		if got := pulsarAdmin(t, url, of("functions", "querystate", "unknown", "--key", "k")...); got.Exit == 0 || !strings.Contains(got.Err, "'unknown' is not found") {
			t.Errorf("of an unknown function at %s: %+v", url, got)
		}
	}
	// Here a put that changes nothing isn't a success.
	theirs, ours := both("putstate", "--state", `{"key":"count of one","stringValue":"v"}`)
	if theirs.Exit != 0 || ours.Exit == 0 || !strings.Contains(ours.Err, "key 'count of one' is a counter") {
		t.Errorf("a counter is put: %+v, %+v", theirs, ours)
	}
	theirs, ours = both("putstate", "--state", `{"key":"none"}`)
	if theirs.Exit == 0 || ours.Exit == 0 || !strings.Contains(theirs.Err, "Invalid state value") || !strings.Contains(ours.Err, "Invalid state value") {
		t.Errorf("no value is put: %+v, %+v", theirs, ours)
	}
	t.Run("go client", testStateWithGo)
	t.Run("requests", testStateRequests)
	t.Run("ranges", testStateRanges)
}

func testStateWithGo(t *testing.T) {
	client := func(url string) pulsaradmin.Client {
		t.Helper()
		return must[pulsaradmin.Client](t)(pulsaradmin.NewClient(&pulsaradmin.Config{WebServiceURL: url, PulsarAPIVersion: config.V3}))
	}
	theirs, ours := client(realPulsar(t).URL()).Functions(), client(env.ShimURL()).Functions()
	value := utils.FunctionState{Key: "go", StringValue: "value"}
	for name, err := range map[string]error{
		"Pulsar": theirs.PutFunctionState("public", "default", theirState, value), "the shim": ours.PutFunctionState("public", "default", ourState, value),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, key := range []string{"go", "count of one", "bytes", "nothing"} {
		theirState, theirErr := theirs.GetFunctionState("public", "default", theirState, key)
		ourState, ourErr := ours.GetFunctionState("public", "default", ourState, key)
		if diff := cmp.Diff(theirState, ourState); diff != "" || fmt.Sprint(theirErr) != fmt.Sprint(ourErr) {
			t.Errorf("%s: Pulsar has %v, the shim %v: %s", key, theirErr, ourErr, diff)
		}
	}
}

// testStateRequests compares what the shim makes of requests with what Pulsar does.
func testStateRequests(t *testing.T) {
	put := func(url, name, key, content, contentType string) (int, string) {
		t.Helper()
		return postForm(t, url+functions+name+"/state/"+key, "state", contentType, content)
	}
	const json, page = "application/json", "<html>"
	for _, test := range []struct{ key, content, contentType string }{
		{"k", `{"key":"k","stringValue":"v","version":17,"unknown":1}`, json},
		{"k", `{"key":"other","stringValue":"v"}`, json},
		{"k", `{"stringValue":"v"}`, json},
		{"k", `{"key":"k","stringValue":5}`, json},
		{"k", `{"key":"k","stringValue":`, json},
		{"k", `{"key":"k","byteValue":"!!"}`, json},
		{"k", `[]`, json},
		{"a%2Fb", `{"key":"a/b","stringValue":"v"}`, json},
		{"k%20", `{"key":"k ","stringValue":"v"}`, json},
	} {
		theirCode, theirs := put(realPulsar(t).URL(), theirState, test.key, test.content, test.contentType)
		ourCode, ours := put(env.ShimURL(), ourState, test.key, test.content, test.contentType)
		if theirCode != ourCode || !strings.HasPrefix(theirs, page) && theirs != ours {
			t.Errorf("%s %s: Pulsar answers %d %s, the shim %d %s", test.key, test.content, theirCode, theirs, ourCode, ours)
		}
		theirCode, theirValue, theirErr := get(t.Context(), realPulsar(t).URL(), functions+theirState+"/state/"+test.key)
		ourCode, ourValue, ourErr := get(t.Context(), env.ShimURL(), functions+ourState+"/state/"+test.key)
		if diff := cmp.Diff(theirValue, ourValue); diff != "" || theirCode != ourCode || theirErr != nil || ourErr != nil {
			t.Errorf("%s %s: Pulsar has %d, the shim %d, afterwards (%v, %v): %s", test.key, test.content, theirCode, ourCode, theirErr, ourErr, diff)
		}
	}
	for what, test := range map[string]struct{ content, contentType, reason string }{
		"null":          {`null`, json, "The state is not provided"},
		"no type":       {`{"key":"k","stringValue":"v"}`, "", "The state is not provided"},
		"a long key":    {`{"key":"` + strings.Repeat("k", 5000) + `","stringValue":"v"}`, json, "a key can't have more than 4096 bytes"},
		"a large value": {`{"key":"k","stringValue":"` + strings.Repeat("v", 1_000_001) + `"}`, json, "the value has more than 1000000 bytes"},
	} {
		key := "k"
		if what == "a long key" {
			key = strings.Repeat("k", 5000)
		}
		code, answer := put(env.ShimURL(), ourState, key, test.content, test.contentType)
		if code != 400 && code != 413 || !strings.Contains(answer, test.reason) {
			t.Errorf("%s: %d %s", what, code, answer)
		}
	}
	longest := `{"key":"` + strings.Repeat("k", 4096) + `","stringValue":"` + strings.Repeat("v", 1_000_000) + `"}`
	if code, answer := put(env.ShimURL(), ourState, strings.Repeat("k", 4096), longest, json); code != 204 {
		t.Errorf("the longest: %d %s", code, answer)
	}
}

// testStateRanges proves that each key is where a client looks for it that knows itself
// how a table is divided, in each of the four ranges, and that the other way round.
func testStateRanges(t *testing.T) {
	keys := make([]string, 40)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
		content := must[[]byte](t)(json.Marshal(map[string]string{"key": keys[i], "stringValue": "value of " + keys[i]}))
		if code, answer := postForm(t, env.ShimURL()+functions+ourState+"/state/"+keys[i], "state", "application/json", string(content)); code != 204 {
			t.Fatalf("%s: %d %s", keys[i], code, answer)
		}
	}
	hashes, values, err := realPulsar(t).ReadTable(t.Context(), "public_default", ourState, keys...)
	if err != nil {
		t.Fatal(err)
	}
	in := map[uint64]int{}
	for i, key := range keys {
		// Ranges are the quarters of the numbers that a hash can be, the lowest first.
		in[(uint64(hashes[i])^1<<63)>>62]++
		if values[i] != "value of "+key {
			t.Errorf("%s has %q", key, values[i])
		}
		if _, back, err := get(t.Context(), env.ShimURL(), functions+ourState+"/state/back-"+key); err != nil || back["stringValue"] != key {
			t.Errorf("back-%s has %v (%v)", key, back, err)
		}
	}
	if len(in) != 4 {
		t.Errorf("the keys are in the ranges %v", in)
	}
}
