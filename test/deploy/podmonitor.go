package deploy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// monitoring are the kinds of the operator of Prometheus.
var monitoring = schema.GroupVersion{Group: "monitoring.coreos.com", Version: "v1"}

// PodMonitor has the operator of Prometheus read pods: as much of that kind as our files use, so that a name which is not here is an
// error, as in every other manifest.
type PodMonitor struct {
	v1.TypeMeta   `json:",inline"`
	v1.ObjectMeta `json:"metadata"`

	Spec struct {
		Selector            v1.LabelSelector `json:"selector"`
		PodMetricsEndpoints []struct {
			Port        string `json:"port"`
			Interval    string `json:"interval"`
			Relabelings []struct {
				TargetLabel string `json:"targetLabel"`
				Replacement string `json:"replacement"`
			} `json:"relabelings"`
		} `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

// DeepCopyObject implements runtime.Object. What is read here is never changed, so nothing is copied.
func (m *PodMonitor) DeepCopyObject() runtime.Object { return m }
