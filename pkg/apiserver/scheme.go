// Package apiserver is functionmesh-apiserver: an aggregated API server without a
// database of its own. Its options become a configuration, the configuration is
// completed, and the completed one makes the server, as in any server built on
// k8s.io/apiserver.
package apiserver

import (
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var (
	// Scheme knows the types that this server serves.
	Scheme = runtime.NewScheme()
	// Codecs encode and decode them, as JSON and YAML.
	Codecs = withoutProtobuf{serializer.NewCodecFactory(Scheme)}
	// parameterCodec reads options from URLs, those of this group's own subresources too.
	parameterCodec = runtime.NewParameterCodec(Scheme)

	// publishedScheme knows which types OpenAPI tells clients of. Those of Scheme have
	// internal versions besides, which are nobody's business.
	publishedScheme = runtime.NewScheme()
)

func init() {
	// One Go type is the external and the internal version, so nothing is converted.
	utilruntime.Must(v1alpha1.AddInternalToScheme(Scheme))
	Scheme.AddKnownTypes(schema.GroupVersion{Group: autoscalingv1.GroupName, Version: runtime.APIVersionInternal}, &autoscalingv1.Scale{})
	addExternalTypes(Scheme)
	addExternalTypes(publishedScheme)
}

// addExternalTypes adds what clients send and get.
func addExternalTypes(scheme *runtime.Scheme) {
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	utilruntime.Must(scheme.SetVersionPriority(v1alpha1.SchemeGroupVersion))

	// Subresources scale.
	scheme.AddKnownTypes(autoscalingv1.SchemeGroupVersion, &autoscalingv1.Scale{})

	// k8s.io/apiserver serves these itself, from the scheme that it is given.
	unversioned := schema.GroupVersion{Version: "v1"}
	metav1.AddToGroupVersion(scheme, unversioned)
	scheme.AddUnversionedTypes(unversioned,
		&metav1.Status{},
		&metav1.APIVersions{},
		&metav1.APIGroupList{},
		&metav1.APIGroup{},
		&metav1.APIResourceList{},
	)
}

// withoutProtobuf offers every content type but protobuf, which the types here have
// no encoding for. A server that offers it all the same makes the namespace
// controller, which prefers it, fail for every namespace.
type withoutProtobuf struct {
	serializer.CodecFactory
}

// SupportedMediaTypes implements runtime.NegotiatedSerializer.
func (c withoutProtobuf) SupportedMediaTypes() []runtime.SerializerInfo {
	var offered []runtime.SerializerInfo
	for _, info := range c.CodecFactory.SupportedMediaTypes() {
		if info.MediaType != runtime.ContentTypeProtobuf {
			offered = append(offered, info)
		}
	}
	return offered
}
