// Package caller carries who makes a REST request, and nothing else of it, to
// the API server.
//
// It exists so that there is one place where a credential is read from a
// request, one where it is written to another, and no way to call the API server
// without either: the transport refuses a request whose context has no caller.
package caller
