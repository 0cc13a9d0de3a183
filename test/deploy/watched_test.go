package deploy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"order-processing-service/test/deploy"
)

// ours are the deployments of the service itself.
func ours(objects []runtime.Object) []*appsv1.Deployment {
	return slices.DeleteFunc(deploy.All[appsv1.Deployment](objects), func(d *appsv1.Deployment) bool {
		return !strings.HasPrefix(d.Name, "orders-")
	})
}

func numberOf(c corev1.Container, port string) int32 {
	for _, p := range c.Ports {
		if p.Name == port {
			return p.ContainerPort
		}
	}
	return 0
}

func valueOf(c corev1.Container, variable string) string {
	for _, v := range c.Env {
		if v.Name == variable {
			return v.Value
		}
	}
	return ""
}

// Both ways for Prometheus to read pods find servers and workers, by a port that these have, and give them the jobs that the rules ask for.
func TestPrometheusFindsPods(t *testing.T) {
	dir := t.TempDir()
	kubernetes, err := filepath.Abs("../../deploy/kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	if kubernetes, err = filepath.Rel(dir, kubernetes); err != nil {
		t.Fatal(err)
	}
	text := "resources: [" + kubernetes + "/overlays/aws]\ncomponents: [" + kubernetes + "/components/podmonitor]\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	objects, err := deploy.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"orders-server": "orders", "orders-worker": "orders-worker"}
	monitored := map[string]string{}
	for _, m := range deploy.All[deploy.PodMonitor](objects) {
		read, err := v1.LabelSelectorAsSelector(&m.Spec.Selector)
		if err != nil || m.Namespace != "orders" {
			t.Fatalf("%s of namespace %s: %v", m.Name, m.Namespace, err)
		}
		for _, d := range ours(objects) {
			if read.Empty() || !read.Matches(labels.Set(d.Spec.Template.Labels)) {
				continue
			}
			for _, endpoint := range m.Spec.PodMetricsEndpoints {
				if numberOf(d.Spec.Template.Spec.Containers[0], endpoint.Port) == 0 || endpoint.Relabelings[0].TargetLabel != "job" {
					t.Errorf("%s: %s has no port %s, or gets no job", m.Name, d.Name, endpoint.Port)
				}
				monitored[d.Name] += endpoint.Relabelings[0].Replacement
			}
		}
	}
	if diff := cmp.Diff(want, monitored); diff != "" {
		t.Errorf("jobs by monitor (-want +got):\n%s", diff)
	}

	config := readScrapes(t)
	found := map[string]string{}
	for _, job := range config.Jobs {
		at := job.Kubernetes[0]
		if at.Role != "pod" || !slices.Equal(at.Namespaces.Names, []string{"orders"}) || at.Selectors[0].Role != "pod" {
			t.Errorf("%s looks at %+v", job.Name, at)
		}
		byPort := []string{"__meta_kubernetes_pod_container_port_name"}
		if r := job.Relabel[0]; r.Action != "keep" || r.Regex != metricsPort || !slices.Equal(r.Source, byPort) {
			t.Errorf("%s reads other ports than %s: %+v", job.Name, metricsPort, r)
		}
		chosen, err := labels.Parse(at.Selectors[0].Label)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ours(objects) {
			if chosen.Matches(labels.Set(d.Spec.Template.Labels)) {
				found[d.Name] += job.Name
			}
		}
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("jobs by kubernetes.yml (-want +got):\n%s", diff)
	}
}

// scrapes is as much of a configuration of Prometheus as kubernetes.yml uses. Debian's promtool knows nothing of Kubernetes, so a name that is
// not here is an error.
type scrapes struct {
	Global struct {
		Scrape   string `yaml:"scrape_interval"`
		Evaluate string `yaml:"evaluation_interval"`
	}
	Rules    []string `yaml:"rule_files"`
	Alerting struct {
		Managers []struct {
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"alertmanagers"`
	}
	Jobs []struct {
		Name       string `yaml:"job_name"`
		Kubernetes []struct {
			Role       string
			Namespaces struct{ Names []string }
			Selectors  []struct{ Role, Label string }
		} `yaml:"kubernetes_sd_configs"`
		Relabel []struct {
			Source []string `yaml:"source_labels"`
			Regex  string
			Action string
			Target string `yaml:"target_label"`
		} `yaml:"relabel_configs"`
	} `yaml:"scrape_configs"`
}

func readScrapes(t *testing.T) (s scrapes) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, "deploy/observability/prometheus/kubernetes.yml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// An outage of the store is one of all servers. What takes a server out of traffic then would take them all.
func TestKubernetesKeepsServersInTraffic(t *testing.T) {
	objects := build(t, "overlays/aws")
	for _, i := range deploy.All[networkingv1.Ingress](objects) {
		if path := i.Annotations["alb.ingress.kubernetes.io/healthcheck-path"]; path != "/health/live" {
			t.Errorf("the load balancer asks for %s", path)
		}
	}
	for _, d := range ours(objects) {
		c := d.Spec.Template.Spec.Containers[0]
		if d.Name == "orders-server" && (c.ReadinessProbe.HTTPGet.Path != "/health/live" || c.StartupProbe.HTTPGet.Path != "/health/ready") {
			t.Errorf("%s starts with %s and is ready with %s", d.Name, c.StartupProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Path)
		}
		if c.LivenessProbe.HTTPGet.Path != "/health/live" {
			t.Errorf("%s is killed by %s", d.Name, c.LivenessProbe.HTTPGet.Path)
		}
	}
}

// Keys of the API come from a secret that need not be there, where the overlay says that the file is.
func TestKubernetesMountsKeys(t *testing.T) {
	for _, d := range ours(build(t, "overlays/aws")) {
		if d.Name != "orders-server" {
			continue
		}
		pod := d.Spec.Template.Spec
		mount, volume := pod.Containers[0].VolumeMounts[0], pod.Volumes[0]
		// By a subpath, a changed secret would not be seen.
		if mount.Name != volume.Name || !mount.ReadOnly || mount.SubPath != "" || volume.Secret == nil || volume.Secret.Optional == nil ||
			!*volume.Secret.Optional {
			t.Errorf("mount %+v of %+v", mount, volume)
		}
		overlay := string(read(t, "deploy/kubernetes/overlays/aws/kustomization.yaml"))
		if !strings.Contains(overlay, "API_KEYS_FILE="+mount.MountPath+"/api-keys.json ") {
			t.Errorf("the overlay names no file in %s", mount.MountPath)
		}
	}
}
