package identity

import "testing"

func TestParsePackageURL(t *testing.T) {
	for _, test := range []struct {
		location string
		want     PackageURL
	}{
		{"function://public/default/wc@v1", PackageURL{"function", "public", "default", "wc", "v1"}},
		{"sink://public/default/wc", PackageURL{"sink", "public", "default", "wc", "latest"}},
		{"source://public/default/wc@", PackageURL{"source", "public", "default", "wc", "latest"}},
	} {
		got, err := ParsePackageURL(test.location)
		if err != nil || got != test.want {
			t.Errorf("ParsePackageURL(%q) = %+v, %v; want %+v", test.location, got, err, test.want)
			continue
		}
		if again, err := ParsePackageURL(got.String()); err != nil || again != got {
			t.Errorf("ParsePackageURL(%q) = %+v, %v; want %+v", got.String(), again, err, got)
		}
	}
}

func TestParsePackageURLRefuses(t *testing.T) {
	for location, want := range map[string]string{
		"":                            "Invalid package name ''",
		"wc":                          "Invalid package name 'wc'",
		"http://a/b/c":                "Invalid package name 'http://a/b/c'",
		"Function://a/b/c":            "Invalid package name 'Function://a/b/c'",
		"function:a/b/c":              "Invalid package name 'function:a/b/c'",
		"function://a/b":              "Invalid package name 'function://a/b'",
		"function://a/b/c/d":          "Invalid package name 'function://a/b/c/d'",
		"function://a/b/c@v@w":        "Invalid package name 'function://a/b/c@v@w'",
		"function:///b/c":             "Invalid package tenant '' in package name 'function:///b/c'",
		"function://a//c":             "Invalid package namespace '' in package name 'function://a//c'",
		"function://a/../c":           "Invalid package namespace '..' in package name 'function://a/../c'",
		"function://a/b/":             "Invalid package name '' in package name 'function://a/b/'",
		"function://a/b/.":            "Invalid package name '.' in package name 'function://a/b/.'",
		"function://a/b/c\x00":        "Invalid package name 'c\x00' in package name 'function://a/b/c\x00'",
		"function://a/b\\x/c":         "Invalid package namespace 'b\\x' in package name 'function://a/b\\x/c'",
		"function://a/b/c@..":         "Invalid package version '..' in package name 'function://a/b/c@..'",
		"function://a/b/c@../../x":    "Invalid package version '../../x' in package name 'function://a/b/c@../../x'",
		"function://a/b/c@v1/etc/pwd": "Invalid package version 'v1/etc/pwd' in package name 'function://a/b/c@v1/etc/pwd'",
	} {
		if got, err := ParsePackageURL(location); err == nil || err.Error() != want {
			t.Errorf("ParsePackageURL(%q) = %+v, %v; want the error %q", location, got, err, want)
		}
	}
}

func TestIsPackageURL(t *testing.T) {
	for location, want := range map[string]bool{
		"function://a/b/c": true, "sink://x": true, "source://": true,
		"function": false, "functions://a/b/c": false, "http://a/b": false, "builtin://x": false, "": false,
	} {
		if got := IsPackageURL(location); got != want {
			t.Errorf("IsPackageURL(%q) = %v, want %v", location, got, want)
		}
	}
}
