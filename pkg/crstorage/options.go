package crstorage

import "context"

// WriteOptions are the parts of a write request that genericregistry.Store does
// not hand to its storage.
type WriteOptions struct {
	// DryRun is the request's dryRun. The backend does the dry run, so that the CRD's
	// schema and admission there are asked as well.
	DryRun []string
}

type writeOptionsKey struct{}

// WithWriteOptions returns a context in which writes of this package use options.
func WithWriteOptions(ctx context.Context, options WriteOptions) context.Context {
	return context.WithValue(ctx, writeOptionsKey{}, options)
}

func writeOptionsFrom(ctx context.Context) WriteOptions {
	options, _ := ctx.Value(writeOptionsKey{}).(WriteOptions)
	return options
}
