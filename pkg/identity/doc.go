// Package identity knows how Pulsar and Kubernetes name the same thing: a
// component's Pulsar identity, the object names and the label made of it, topic
// names and package URLs.
package identity
