package controller

import (
	"testing"

	"github.com/spf13/pflag"
)

func TestEnabled(t *testing.T) {
	for _, test := range []struct {
		flag    string
		enabled string
		invalid bool
	}{
		{"*", "status references events duplicates hpa-cleanup credentials credential-rotation trust-certificates packages revisions package-collection subscription-cleanup", false},
		{"*,-hpa-cleanup", "status references events duplicates credentials credential-rotation trust-certificates packages revisions package-collection subscription-cleanup", false},
		{"-hpa-cleanup,*", "status references events duplicates credentials credential-rotation trust-certificates packages revisions package-collection subscription-cleanup", false},
		{"status", "status", false},
		{"-status", "", false},
		{"", "", false},
		{"stauts", "", true},
		{"*,-stauts", "status references events duplicates hpa-cleanup credentials credential-rotation trust-certificates packages revisions package-collection subscription-cleanup", true},
	} {
		options := NewOptions()
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		options.AddFlags(flags)
		if err := flags.Parse([]string{"--controllers=" + test.flag}); err != nil {
			t.Fatal(err)
		}
		var enabled string
		for _, name := range Names {
			if options.Enabled(name) {
				if enabled != "" {
					enabled += " "
				}
				enabled += name
			}
		}
		if enabled != test.enabled {
			t.Errorf("--controllers=%s runs %q, not %q", test.flag, enabled, test.enabled)
		}
		if errs := options.Validate(); (len(errs) > 0) != test.invalid {
			t.Errorf("--controllers=%s: %v", test.flag, errs)
		}
	}
}

func TestPackageInterval(t *testing.T) {
	options := NewOptions()
	options.PackageInterval = 0
	if errs := options.Validate(); len(errs) == 0 {
		t.Error("packages would be asked for all the time")
	}
}

func TestValidateElection(t *testing.T) {
	options := NewOptions()
	options.LeaderElection.RenewDeadline = options.LeaderElection.LeaseDuration
	if errs := options.Validate(); len(errs) == 0 {
		t.Error("a deadline as long as the lease was taken")
	}
	options = NewOptions()
	options.LeaderElection.ResourceLock = "endpoints"
	if errs := options.Validate(); len(errs) == 0 {
		t.Error("a lock other than a Lease was taken")
	}
}
