package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	strict "sigs.k8s.io/yaml"
)

// Build is what `kustomize build` makes of a folder, each manifest decoded strictly: a name that its kind does not have, or
// that stands twice, is an error, and so is a kind that is not known here.
func Build(folder string) ([]runtime.Object, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("kustomize build: %w", err)
	}
	text, err := built.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("kustomize build: %w", err)
	}
	return Decode(text)
}

// Decode decodes manifests as Build does.
func Decode(text []byte) ([]runtime.Object, error) {
	kinds := runtime.NewScheme()
	kinds.AddKnownTypes(monitoring, &PodMonitor{})
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, autoscalingv2.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
	} {
		if err := add(kinds); err != nil {
			return nil, fmt.Errorf("types of Kubernetes: %w", err)
		}
	}
	var objects []runtime.Object
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
	defer documents.Close()
	buffer := make([]byte, len(text)+1)
	for {
		n, err := documents.Read(buffer)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read manifests: %w", err)
		}
		object, err := decode(kinds, buffer[:n])
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

func decode(kinds *runtime.Scheme, text []byte) (runtime.Object, error) {
	var meta runtime.TypeMeta
	if err := strict.Unmarshal(text, &meta); err != nil {
		return nil, fmt.Errorf("read kind: %w", err)
	}
	object, err := kinds.New(meta.GroupVersionKind())
	if err != nil {
		return nil, fmt.Errorf("kind of manifest: %w", err)
	}
	if err := strict.UnmarshalStrict(text, object); err != nil {
		return nil, fmt.Errorf("%s: %w", meta.Kind, err)
	}
	return object, nil
}

// All are the objects of one type.
func All[T any](objects []runtime.Object) []*T {
	var of []*T
	for _, object := range objects {
		if one, ok := object.(any).(*T); ok {
			of = append(of, one)
		}
	}
	return of
}
