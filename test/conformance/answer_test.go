package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// answer is what a client made of a step, and what it was told.
type answer struct {
	// Exit is the exit code of a command line, and 1 for an error of a library.
	Exit int    `json:"exit,omitempty"`
	Out  string `json:"out,omitempty"`
	Err  string `json:"err,omitempty"`
	// Exchanges are the requests that it took.
	Exchanges []exchange `json:"exchanges,omitempty"`
}

// exchange is a request and its answer.
type exchange struct {
	Request string `json:"request"`
	// Form is what pulsar-admin sent, for machines that can't run it.
	Form   []part `json:"form,omitempty"`
	Status int    `json:"status"`
	Type   string `json:"type,omitempty"`
	Body   string `json:"body,omitempty"`
}

// part is one of a form.
type part struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Text string `json:"text"`
}

// text is the answer as people read it and as entries of differences.yaml match it.
func (a answer) text() string {
	var b strings.Builder
	for _, e := range a.Exchanges {
		fmt.Fprintf(&b, "%s: %d %s %s\n", e.Request, e.Status, e.Type, e.Body)
	}
	fmt.Fprintf(&b, "exit %d\n", a.Exit)
	if a.Out != "" {
		fmt.Fprintf(&b, "out: %s\n", a.Out)
	}
	if a.Err != "" {
		fmt.Fprintf(&b, "err: %s\n", a.Err)
	}
	return b.String()
}

// statuses are those of all exchanges.
func (a answer) statuses() []int {
	var all []int
	for _, e := range a.Exchanges {
		all = append(all, e.Status)
	}
	return all
}

// same compares two answers. The forms that were sent count where both have them.
func (a answer) same(b answer) bool {
	if !a.resendable() || !b.resendable() {
		a, b = a.withoutForms(), b.withoutForms()
	}
	return reflect.DeepEqual(a, b)
}

func (a answer) withoutForms() answer {
	a.Exchanges = slices.Clone(a.Exchanges)
	for i := range a.Exchanges {
		a.Exchanges[i].Form = nil
	}
	return a
}

// resendable tells whether the forms that a command sent were recorded with its answer.
// A request to reload has none.
func (a answer) resendable() bool {
	return !slices.ContainsFunc(a.Exchanges, func(e exchange) bool {
		method, path, _ := strings.Cut(e.Request, " ")
		writes := method == http.MethodPut || method == http.MethodPost && !strings.Contains(strings.ToLower(path), "reload")
		return writes && e.Form == nil
	})
}

func mediaType(header string) string {
	media, _, err := mime.ParseMediaType(header)
	if err != nil {
		return header
	}
	return media
}

// normalBody brings what may differ into one form: the layout of JSON, the order of
// members, of names in a list and of the inputs of a sink, which are hash tables'. Of a
// page for people only remains that it is one: it names objects in the server's memory.
func normalBody(path, media, body string) string {
	if media == "text/html" {
		return "a page"
	}
	value, ok := parse(body)
	if !ok {
		return body
	}
	if strings.Count(strings.Trim(path, "/"), "/") == 4 {
		sortTexts(value)
	}
	return encodeNormal(value)
}

// normalOut does the same for what a client prints.
func normalOut(out string, isList bool) string {
	out = strings.TrimSpace(out)
	if isList {
		lines := strings.Split(out, "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	if value, ok := parse(out); ok {
		return encodeNormal(value)
	}
	return out
}

// parse returns JSON's value, if a text is an object or an array.
func parse(text string) (any, bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil || decoder.More() {
		return nil, false
	}
	return normalValue(value), true
}

func normalValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			value[name] = normalValue(member)
			if name == "inputs" {
				sortTexts(value[name])
			}
		}
	case []any:
		for i := range value {
			value[i] = normalValue(value[i])
		}
	case json.Number:
		// 5 and 5.0 are the same to every client.
		if number, ok := new(big.Rat).SetString(value.String()); ok && number.IsInt() {
			return json.Number(number.Num().String())
		}
	}
	return value
}

func sortTexts(value any) {
	list, ok := value.([]any)
	if !ok {
		return
	}
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

func encodeNormal(value any) string {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		// It was just decoded.
		panic(err)
	}
	return strings.TrimSpace(buffer.String())
}
