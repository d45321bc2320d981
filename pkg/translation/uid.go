package translation

import (
	"encoding/hex"

	"k8s.io/apimachinery/pkg/types"
)

// uidMask is what the UIDs of a view and its custom resource differ by. It leaves
// the bits alone that say which version and variant a UUID is of. It can never
// change: dependents hold the UIDs of views in their ownerReferences.
var uidMask = [16]byte{
	0x5a, 0x1e, 0xc7, 0x39, 0x84, 0xd2, 0x0b, 0x6f,
	0x21, 0x93, 0xe8, 0x4d, 0x70, 0xbc, 0x35, 0xf6,
}

// ViewUID returns the UID of the view of a custom resource. It isn't the
// resource's own: the garbage collector has one node per UID, and with one UID on
// two resources it deletes, or keeps, the wrong dependents.
func ViewUID(uid types.UID) types.UID {
	return swapUID(uid)
}

// CRUID returns the UID of the custom resource behind a view: it is the inverse of
// ViewUID, for UID preconditions.
func CRUID(uid types.UID) types.UID {
	return swapUID(uid)
}

// swapUID is its own inverse, on every string. UUIDs stay UUIDs.
func swapUID(uid types.UID) types.UID {
	text := string(uid)
	if bytes, ok := parseUUID(text); ok {
		for i := range bytes {
			bytes[i] ^= uidMask[i]
		}
		return types.UID(formatUUID(bytes))
	}
	rotated := rotate47(text)
	if _, ok := parseUUID(rotated); ok {
		// It would come back as another UUID. Only this text would.
		return uid
	}
	return types.UID(rotated)
}

// parseUUID takes the canonical form alone: in lower case, with hyphens.
func parseUUID(text string) ([16]byte, bool) {
	var bytes [16]byte
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return bytes, false
	}
	digits := text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
	if _, err := hex.Decode(bytes[:], []byte(digits)); err != nil {
		return bytes, false
	}
	return bytes, formatUUID(bytes) == text
}

func formatUUID(bytes [16]byte) string {
	digits := hex.EncodeToString(bytes[:])
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}

// rotate47 swaps the two halves of the printable ASCII characters, and leaves all
// others alone.
func rotate47(text string) string {
	rotated := []byte(text)
	for i, char := range rotated {
		if char >= '!' && char <= '~' {
			rotated[i] = '!' + (char-'!'+47)%94
		}
	}
	return string(rotated)
}
