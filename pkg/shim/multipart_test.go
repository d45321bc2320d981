package shim

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

const boundary = "XyZ"

// body joins parts, each a header and a content, as they look on the wire.
func body(parts ...[2]string) string {
	var text strings.Builder
	for _, part := range parts {
		text.WriteString("--" + boundary + "\r\n" + part[0] + "\r\n\r\n" + part[1] + "\r\n")
	}
	return text.String() + "--" + boundary + "--\r\n"
}

func readTestForm(contentType string, content io.Reader) (*form, error) {
	request := httptest.NewRequest(http.MethodPost, "/", content)
	request.Header.Set("Content-Type", contentType)
	return readForm(request, testKinds()[0], formLimits{config: 100, parts: maxParts}, nil)
}

func TestReadForm(t *testing.T) {
	const multipart = "multipart/form-data; boundary=" + boundary
	// What the Java client and the Go client really send.
	javaConfig := [2]string{"Content-Disposition: form-data; name=\"functionConfig\"\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: 8bit", `{"a":1}`}
	javaURL := [2]string{"Content-Disposition: form-data; name=\"url\"\r\nContent-Type: text/plain", "function://a/b/c@1"}
	javaOptions := [2]string{"Content-Disposition: form-data; name=\"updateOptions\"\r\nContent-Type: application/json", `{"updateAuthData":true}`}
	javaData := [2]string{"Content-Disposition: form-data; name=\"data\"; filename=\"f.jar\"\r\nContent-Type: application/octet-stream", "PK\x03\x04\r\n--not the end"}
	goConfig := [2]string{"Content-Disposition: form-data; name=\"functionConfig\" \r\nContent-Type: application/json", `{"a":1}`}
	goURL := [2]string{"Content-Disposition: form-data; name=\"url\" \r\nContent-Type: text/plain", "function://a/b/c@1"}
	noType := [2]string{`Content-Disposition: form-data; name="functionConfig"`, `{"a":1}`}

	tests := []struct {
		name        string
		contentType string
		body        string
		want        form
		code        int
	}{
		{name: "Java with URL", body: body(javaConfig, javaURL), want: form{config: []byte(`{"a":1}`), packageURL: "function://a/b/c@1"}},
		{name: "Go with URL", body: body(goURL, goConfig), want: form{config: []byte(`{"a":1}`), packageURL: "function://a/b/c@1"}},
		{name: "Java update", body: body(javaConfig, javaOptions, javaData), want: form{config: []byte(`{"a":1}`), updateOptions: []byte(`{"updateAuthData":true}`), uploaded: true}},
		{name: "file first", body: body(javaData, javaConfig), want: form{config: []byte(`{"a":1}`), uploaded: true}},
		{name: "config without a type", body: body(noType, javaURL), want: form{packageURL: "function://a/b/c@1"}},
		{name: "config of another type", body: body([2]string{noType[0] + "\r\nContent-Type: text/plain", noType[1]}), want: form{}},
		{name: "config with a charset", body: body([2]string{noType[0] + "\r\nContent-Type: Application/JSON; charset=utf-8", noType[1]}), want: form{config: []byte(`{"a":1}`)}},
		{name: "no config", body: body(javaURL), want: form{packageURL: "function://a/b/c@1"}},
		{name: "nothing", body: body(), want: form{}},
		{name: "unknown part", body: body([2]string{`Content-Disposition: form-data; name="other"`, strings.Repeat("x", 1000)}, javaConfig), want: form{config: []byte(`{"a":1}`)}},
		{name: "media type in upper case", contentType: "Multipart/Form-Data; boundary=" + boundary, body: body(javaConfig), want: form{config: []byte(`{"a":1}`)}},
		{name: "config that just fits", body: body([2]string{goConfig[0], strings.Repeat("x", 100)}), want: form{config: []byte(strings.Repeat("x", 100))}},
		{name: "config too large", body: body([2]string{goConfig[0], strings.Repeat("x", 101)}), code: http.StatusRequestEntityTooLarge},
		{name: "URL too large", body: body([2]string{goURL[0], strings.Repeat("x", maxURLBytes+1)}, goConfig), code: http.StatusRequestEntityTooLarge},
		{name: "config twice", body: body(javaConfig, [2]string{goConfig[0], "the second"}), want: form{config: []byte(`{"a":1}`)}},
		{name: "too much of a config that doesn't count", body: body(javaConfig, [2]string{goConfig[0], strings.Repeat("x", 1<<20)}), code: http.StatusRequestEntityTooLarge},
		{name: "cut off", body: strings.TrimSuffix(body(javaConfig), "--\r\n"), code: http.StatusBadRequest},
		{name: "cut off in a part", body: body(javaConfig)[:100], code: http.StatusBadRequest},
		{name: "as many parts as there may be", body: body(manyParts(maxParts)...), want: form{}},
		{name: "too many parts", body: body(manyParts(maxParts + 1)...), code: http.StatusRequestEntityTooLarge},
		{name: "not multipart", contentType: "application/json", body: `{}`, code: http.StatusUnsupportedMediaType},
		{name: "a blank URL", body: body([2]string{goURL[0], " "}, goConfig), want: form{config: []byte(`{"a":1}`)}},
		{name: "no boundary", contentType: "multipart/form-data", body: body(javaConfig), code: http.StatusBadRequest},
		{name: "no type", contentType: " ", body: body(javaConfig), code: http.StatusUnsupportedMediaType},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			contentType := test.contentType
			if contentType == "" {
				contentType = multipart
			}
			got, err := readTestForm(contentType, strings.NewReader(test.body))
			if test.code != 0 {
				var refused *restError
				if !errors.As(err, &refused) || refused.code != test.code || refused.reason == "" {
					t.Fatalf("got %+v, %v, want code %d", got, err, test.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.config, test.want.config) || (got.config == nil) != (test.want.config == nil) ||
				got.packageURL != test.want.packageURL || got.uploaded != test.want.uploaded ||
				!bytes.Equal(got.updateOptions, test.want.updateOptions) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// maxParts is how many parts the forms here may have.
const maxParts = 16

func manyParts(count int) (parts [][2]string) {
	for i := range count {
		parts = append(parts, [2]string{`Content-Disposition: form-data; name="p` + strings.Repeat("p", i) + `"`, ""})
	}
	return parts
}

// repeated is n bytes, and then an error.
type repeated struct {
	n   int64
	err error
}

func (r *repeated) Read(into []byte) (int, error) {
	if r.n <= 0 {
		return 0, r.err
	}
	into = into[:min(int64(len(into)), r.n)]
	for i := range into {
		into[i] = 'x'
	}
	r.n -= int64(len(into))
	return len(into), nil
}

func TestReadFormTakesFilesOfAnySize(t *testing.T) {
	const multipart = "multipart/form-data; boundary=" + boundary
	config := body(partOf("functionConfig", "{}"))
	file := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"data\"; filename=\"f\"\r\n\r\n"
	got, err := readTestForm(multipart, io.MultiReader(strings.NewReader(file), &repeated{n: 200 << 20, err: io.EOF}, strings.NewReader("\r\n"+config)))
	if err != nil || !got.uploaded || string(got.config) != "{}" {
		t.Errorf("got %+v, %v", got, err)
	}
	// However the file ends, the answer is what the client can do instead.
	for _, end := range []error{os.ErrDeadlineExceeded, io.ErrUnexpectedEOF, io.EOF, errors.New("reset")} {
		_, err := readTestForm(multipart, io.MultiReader(strings.NewReader(file), &repeated{n: 1 << 20, err: end}))
		if err == nil || err.Error() != errUpload(testKinds()[0]).reason {
			t.Errorf("%v: got %v", end, err)
		}
	}
}

func TestReadFormIsBounded(t *testing.T) {
	const multipart = "multipart/form-data; boundary=" + boundary
	for what, start := range map[string]string{
		"header":       "--" + boundary + "\r\nX: ",
		"unknown part": "--" + boundary + "\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n",
		"config":       "--" + boundary + "\r\nContent-Disposition: form-data; name=\"functionConfig\"\r\n\r\n",
	} {
		content := &repeated{n: 1 << 30, err: io.EOF}
		_, err := readTestForm(multipart, io.MultiReader(strings.NewReader(start), content))
		var refused *restError
		if !errors.As(err, &refused) || refused.code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: got %v", what, err)
		}
		if read := 1<<30 - content.n; read > maxDiscardedBytes+1<<20 {
			t.Errorf("%s: %d bytes were read", what, read)
		}
	}
}
