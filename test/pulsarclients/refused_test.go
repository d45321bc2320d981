package pulsarclients

const uploadRefusal = "Uploading a package is not available yet: put it into Pulsar's package management and give its URL, function://tenant/namespace/name@version"
