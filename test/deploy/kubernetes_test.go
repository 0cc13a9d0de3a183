package deploy_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"order-processing-service/test/deploy"
)

var overlays = []string{"aws", "local"}

func build(t *testing.T, folder string) []runtime.Object {
	t.Helper()
	objects, err := deploy.Build("../../deploy/kubernetes/" + folder)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestKubernetesDecodes(t *testing.T) {
	objects := build(t, "base")
	for kind, found := range map[string]int{
		"Namespace":               len(deploy.All[corev1.Namespace](objects)),
		"ServiceAccount":          len(deploy.All[corev1.ServiceAccount](objects)),
		"Service":                 len(deploy.All[corev1.Service](objects)),
		"Deployment":              len(deploy.All[appsv1.Deployment](objects)),
		"Ingress":                 len(deploy.All[networkingv1.Ingress](objects)),
		"NetworkPolicy":           len(deploy.All[networkingv1.NetworkPolicy](objects)),
		"HorizontalPodAutoscaler": len(deploy.All[autoscalingv2.HorizontalPodAutoscaler](objects)),
		"PodDisruptionBudget":     len(deploy.All[policyv1.PodDisruptionBudget](objects)),
	} {
		if found == 0 {
			t.Errorf("the base has no %s", kind)
		}
	}
	for _, name := range overlays {
		build(t, "overlays/"+name)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"Name":  "apiVersion: v1\nkind: Service\nspec: {selectors: {a: b}}",
		"Twice": "apiVersion: v1\nkind: Service\nspec: {}\nspec: {}",
		"Kind":  "apiVersion: v1\nkind: Servant",
		"Type":  "apiVersion: v1\nkind: Service\nspec: {ports: [{port: eighty}]}",
	} {
		t.Run(name, func(t *testing.T) {
			if objects, err := deploy.Decode([]byte(text)); err == nil {
				t.Errorf("decoded as %v", objects)
			}
		})
	}
}

// The judge is that of Kubernetes itself; the rest is what it does not ask for.
func TestKubernetesPodsAreRestricted(t *testing.T) {
	judge, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, name := range overlays {
		for _, d := range deploy.All[appsv1.Deployment](build(t, "overlays/"+name)) {
			t.Run(name+"/"+d.Name, func(t *testing.T) {
				pod := d.Spec.Template
				for _, result := range judge.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec) {
					if !result.Allowed {
						t.Errorf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail)
					}
				}
				if pod.Spec.SecurityContext.RunAsUser == nil || *pod.Spec.SecurityContext.RunAsUser == 0 {
					t.Error("the pod has no user by number")
				}
				if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
					t.Error("the pod gets a token for the cluster")
				}
				for _, c := range pod.Spec.Containers {
					judgeContainer(t, c)
				}
			})
		}
	}
}

func judgeContainer(t *testing.T, c corev1.Container) {
	t.Helper()
	if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
		t.Errorf("%s may write to its root", c.Name)
	}
	if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
		t.Errorf("%s does not say what it needs, or how much memory it may take", c.Name)
	}
	_, tag, tagged := strings.Cut(c.Image[strings.LastIndex(c.Image, "/")+1:], ":")
	if !tagged || tag == "" || tag == "latest" {
		t.Errorf("image %s of %s can be another one tomorrow", c.Image, c.Name)
	}
	if c.ReadinessProbe == nil {
		t.Errorf("nobody asks whether %s is ready", c.Name)
	}
}

// One manifest names another by words that nothing checks before a cluster does.
func TestKubernetesNamesMeet(t *testing.T) {
	for _, name := range overlays {
		t.Run(name, func(t *testing.T) {
			objects := build(t, "overlays/"+name)
			pods := map[string]labels.Set{}
			for _, d := range deploy.All[appsv1.Deployment](objects) {
				pods[d.Name] = d.Spec.Template.Labels
				meets(t, "deployment "+d.Name, d.Spec.Selector, pods)
				configured(t, objects, d)
			}
			for _, s := range deploy.All[corev1.Service](objects) {
				meets(t, "service "+s.Name, &v1.LabelSelector{MatchLabels: s.Spec.Selector}, pods)
			}
			for _, b := range deploy.All[policyv1.PodDisruptionBudget](objects) {
				meets(t, "budget "+b.Name, b.Spec.Selector, pods)
			}
			for _, p := range deploy.All[networkingv1.NetworkPolicy](objects) {
				meets(t, "network policy "+p.Name, &p.Spec.PodSelector, pods)
			}
			for _, a := range deploy.All[autoscalingv2.HorizontalPodAutoscaler](objects) {
				if pods[a.Spec.ScaleTargetRef.Name] == nil {
					t.Errorf("autoscaler %s has nothing to scale", a.Name)
				}
			}
			for _, i := range deploy.All[networkingv1.Ingress](objects) {
				for _, path := range i.Spec.Rules[0].HTTP.Paths {
					served(t, objects, path.Backend.Service)
				}
			}
		})
	}
}

func meets(t *testing.T, who string, selector *v1.LabelSelector, pods map[string]labels.Set) {
	t.Helper()
	chosen, err := v1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods {
		if !chosen.Empty() && chosen.Matches(pod) {
			return
		}
	}
	t.Errorf("%s chooses no pod", who)
}

func configured(t *testing.T, objects []runtime.Object, d *appsv1.Deployment) {
	t.Helper()
	for _, c := range d.Spec.Template.Spec.Containers {
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil && !slices.ContainsFunc(deploy.All[corev1.ConfigMap](objects), func(m *corev1.ConfigMap) bool {
				return m.Name == from.ConfigMapRef.Name
			}) {
				t.Errorf("%s: there is no config map %s", d.Name, from.ConfigMapRef.Name)
			}
		}
	}
}

func served(t *testing.T, objects []runtime.Object, backend *networkingv1.IngressServiceBackend) {
	t.Helper()
	for _, s := range deploy.All[corev1.Service](objects) {
		if s.Name == backend.Name && slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == backend.Port.Name }) {
			return
		}
	}
	t.Errorf("there is no port %s of a service %s", backend.Port.Name, backend.Name)
}
