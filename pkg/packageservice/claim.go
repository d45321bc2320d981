package packageservice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// Claim makes sure that a package, which is there already, isn't removed as one that
// nobody uses before it can be seen that somebody does. keeper looks after it from now on,
// as one of several if he is Manager in more than one installation. It returns false when
// the package is gone. It says nothing of packages that aren't ours, which nobody removes.
func (c *Client) Claim(ctx context.Context, token Token, name identity.PackageURL, keeper Keeper) (bool, error) {
	if err := keeper.check(); err != nil {
		return false, err
	}
	// added is whether the package wasn't the keeper's, and settled whether nobody writes
	// any more what he read before it was.
	added, settled := false, false
	for {
		asked := time.Now()
		metadata, err := c.Metadata(ctx, token, name)
		switch {
		case errors.Is(err, ErrNotFound):
			return false, nil
		case err != nil:
			return false, err
		case !Managed(*metadata), settled && keeper.keeps(*metadata):
			return true, nil
		}
		if at, _ := markedAt(*metadata, propertyRemoving); Announced(*metadata) && time.Since(at) >= lastCall {
			if err := pause(ctx, time.Second); err != nil {
				return false, err
			}
			continue
		}
		added = added || !keeper.keeps(*metadata)
		err = c.SetMetadata(ctx, token, name, keeper.sign(*metadata))
		switch {
		case errors.Is(err, ErrNotFound):
			return false, nil
		case err != nil:
			return false, err
		case time.Since(asked) >= writeTime:
			continue
		case !added:
			return true, nil
		}
		// Who removes it may have written what he read before, and won't know of this keeper
		// in any other way.
		if err := pause(ctx, writeTime); err != nil {
			return false, err
		}
		settled = true
	}
}

func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-time.After(length):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("could not wait for others who write about a package: %w", ctx.Err())
	}
}
