package shim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
)

func codeOf(err error) int {
	var answer *restError
	if errors.As(err, &answer) {
		return answer.code
	}
	return 0
}

func TestTakeUploads(t *testing.T) {
	uploads := newUploads(nil, 10)
	for name, test := range map[string]struct {
		content io.Reader
		code    int
	}{
		"as large as may be": {strings.NewReader("0123456789"), 0},
		"too large":          {strings.NewReader("0123456789a"), http.StatusRequestEntityTooLarge},
		"empty":              {strings.NewReader(""), http.StatusBadRequest},
		"cut off":            {iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("0123"))), http.StatusBadRequest},
	} {
		// A slot that isn't freed would be missing in the end.
		for range maxUploads {
			taken, err := uploads.take(test.content, "t")
			if code := codeOf(err); code != test.code {
				t.Fatalf("%s: got %v", name, err)
			}
			if err == nil {
				if taken.size != 10 || taken.digest != "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882" {
					t.Errorf("%s: %d bytes with digest %s", name, taken.size, taken.digest)
				}
				taken.Close()
			}
			if seeker, ok := test.content.(io.Seeker); ok {
				if _, err := seeker.Seek(0, io.SeekStart); err != nil {
					t.Fatal(err)
				}
			} else {
				break
			}
		}
	}
	var held []*upload
	// No place gets more than half.
	for _, place := range []string{"a", "b"} {
		for range maxUploads / 2 {
			taken, err := uploads.take(strings.NewReader("x"), place)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, taken)
		}
		if _, err := uploads.take(strings.NewReader("x"), place); codeOf(err) != http.StatusTooManyRequests {
			t.Errorf("more than a place's share: got %v", err)
		}
	}
	if _, err := uploads.take(strings.NewReader("x"), "c"); codeOf(err) != http.StatusTooManyRequests {
		t.Errorf("one too many: got %v", err)
	}
	// Those of which nobody knows yet where they go to have some of their own.
	for range maxUnplaced {
		taken, err := uploads.take(strings.NewReader("x"), "")
		if err != nil {
			t.Fatalf("beside all others: %v", err)
		}
		held = append(held, taken)
	}
	if _, err := uploads.take(strings.NewReader("x"), ""); codeOf(err) != http.StatusTooManyRequests {
		t.Errorf("one too many of them: got %v", err)
	}
	held[0].Close()
	taken, err := uploads.take(strings.NewReader("x"), "a")
	if err != nil {
		t.Fatalf("beside all of those: %v", err)
	}
	held[0] = taken
	for _, taken := range held {
		taken.Close()
	}
	for _, slots := range []*slots.Slots{uploads.slots, uploads.unplaced} {
		if taken := slots.Taken(); taken != 0 {
			t.Errorf("%d slots are still taken", taken)
		}
	}
}

// What the package service says, or that it says nothing, reaches the caller as an answer
// that says what to do.
func TestNotStored(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx  context.Context
		err  error
		code int
	}{
		"other content":      {t.Context(), packageservice.ErrOtherContent, http.StatusConflict},
		"no right":           {t.Context(), &packageservice.RefusedError{Code: 401}, http.StatusUnauthorized},
		"no namespace":       {t.Context(), &packageservice.RefusedError{Code: 412, Reason: "x"}, http.StatusBadRequest},
		"service is off":     {t.Context(), &packageservice.RefusedError{Code: 503, Reason: "x"}, http.StatusServiceUnavailable},
		"service is away":    {t.Context(), errors.New("connection refused to 10.0.0.1"), http.StatusServiceUnavailable},
		"it took too long":   {over, context.Canceled, http.StatusRequestTimeout},
		"no right, too late": {over, &packageservice.RefusedError{Code: 403}, http.StatusUnauthorized},
	} {
		err := notStored(test.ctx, access{}, identity.PackageURL{Type: "function", Tenant: "t", Namespace: "n", Name: "f", Version: "v"}, test.err)
		var answer *restError
		if !errors.As(err, &answer) || answer.code != test.code || strings.Contains(answer.reason, "10.0.0.1") {
			t.Errorf("%s: got %d %q", name, answer.code, answer.reason)
		}
	}
}
