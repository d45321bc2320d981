package caller

// PulsarToken returns the token of Pulsar's by which the shim knows the caller, and,
// where a proxy's it is, for whom the proxy calls. Both are empty for all other callers.
func (r *Request) PulsarToken() (token, originalPrincipal string) { return "", "" }
