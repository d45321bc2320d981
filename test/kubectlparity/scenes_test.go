package kubectlparity

import "slices"

// scenes are all commands.
var scenes = slices.Concat(writing, applying, reading, deleting, scaling)
