package deploy_test

import (
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"order-processing-service/test/deploy"
)

const (
	metricsPolicy = "orders-metrics"
	metricsPort   = "metrics"
)

// forPrometheus is the door to the admin address: for pods of the namespace that Kubernetes itself calls monitoring.
func forPrometheus(number int32) deploy.Door {
	name := map[string]string{corev1.LabelMetadataName: "monitoring"}
	return deploy.Door{
		Policy: metricsPolicy, Port: metricsPort, Number: number,
		Who: []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &v1.LabelSelector{MatchLabels: name}}},
	}
}

// forLoadBalancer is the door to the API: for the networks whose word about clients is taken.
func forLoadBalancer(number int32, trusted string) deploy.Door {
	door := deploy.Door{Policy: "orders-server", Port: "http", Number: number}
	for network := range strings.SplitSeq(trusted, ",") {
		door.Who = append(door.Who, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: network}})
	}
	return door
}

// The admin address asks nobody who they are: Prometheus reaches it, by a namespace that is named, and nobody else does.
func TestKubernetesLetsPrometheusInAlone(t *testing.T) {
	for _, name := range overlays {
		t.Run(name, func(t *testing.T) {
			objects := build(t, "overlays/"+name)
			port := int32(0)
			for _, d := range ours(objects) {
				c := d.Spec.Template.Spec.Containers[0]
				port = numberOf(c, metricsPort)
				address, err := netip.ParseAddrPort(valueOf(c, "ADMIN_ADDR"))
				if err != nil || !address.Addr().IsUnspecified() || int32(address.Port()) != port {
					t.Errorf("%s listens for operators on %v (%v), and calls port %d its port for them", d.Name, address, err, port)
				}
			}
			policies := deploy.All[networkingv1.NetworkPolicy](objects)
			for _, wrong := range deploy.JudgeDoor(policies, forPrometheus(port)) {
				t.Error(wrong)
			}
			for _, p := range policies {
				for _, d := range ours(objects) {
					if p.Name == metricsPolicy {
						meets(t, p.Name, &p.Spec.PodSelector, map[string]labels.Set{d.Name: d.Spec.Template.Labels})
					}
				}
			}
			for _, s := range deploy.All[corev1.Service](objects) {
				for _, p := range s.Spec.Ports {
					if p.TargetPort.StrVal == metricsPort || p.TargetPort.IntVal == port {
						t.Errorf("the service %s leads to the admin address", s.Name)
					}
				}
			}
		})
	}
}

// TRUST_PROXY says that nobody goes round the load balancer: who reaches the servers is who is trusted, and nobody else.
func TestKubernetesLetsTheLoadBalancerInAlone(t *testing.T) {
	objects, set := build(t, "overlays/aws"), kubernetesEnvironment(t, "overlays/aws")
	if set["TRUST_PROXY"] != "true" {
		t.Errorf("TRUST_PROXY=%s", set["TRUST_PROXY"])
	}
	networks := strings.Split(set["TRUSTED_PROXIES"], ",")
	for _, network := range networks {
		if prefix, err := netip.ParsePrefix(network); err != nil || prefix.Bits() == 0 {
			t.Errorf("trusted is %q: %v", network, err)
		}
	}
	for _, d := range ours(objects) {
		port := numberOf(d.Spec.Template.Spec.Containers[0], "http")
		for _, wrong := range deploy.JudgeDoor(deploy.All[networkingv1.NetworkPolicy](objects), forLoadBalancer(port, set["TRUSTED_PROXIES"])) {
			t.Error(wrong)
		}
	}
	// Else the controller chooses subnets by their tags, and those are often the pods' own.
	for _, i := range deploy.All[networkingv1.Ingress](objects) {
		if named := i.Annotations["alb.ingress.kubernetes.io/subnets"]; len(strings.Split(named, ",")) != len(networks) {
			t.Errorf("the load balancer is in the subnets %q, and those of %q are trusted", named, networks)
		}
	}
}

// Each change opens a door to somebody else, or to nobody, which the judge must see. It is made to the policies of a file that has nothing wrong.
func TestJudgeDoorSees(t *testing.T) {
	objects := build(t, "overlays/aws")
	doors := []deploy.Door{forPrometheus(9464), forLoadBalancer(8000, kubernetesEnvironment(t, "overlays/aws")["TRUSTED_PROXIES"])}
	for name, open := range map[string]func(door deploy.Door, p *networkingv1.NetworkPolicySpec){
		"RuleWithoutFrom": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) {
			p.Ingress = append(p.Ingress, networkingv1.NetworkPolicyIngressRule{Ports: p.Ingress[0].Ports})
		},
		"Everybody": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) { p.Ingress[0].From = nil },
		"EmptyPeer": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) {
			p.Ingress[0].From = append(p.Ingress[0].From, networkingv1.NetworkPolicyPeer{PodSelector: &v1.LabelSelector{}})
		},
		"AnotherNamespace": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) {
			name := map[string]string{corev1.LabelMetadataName: "default"}
			p.Ingress[0].From = append(p.Ingress[0].From, networkingv1.NetworkPolicyPeer{NamespaceSelector: &v1.LabelSelector{MatchLabels: name}})
		},
		"AnotherNetwork": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) {
			p.Ingress[0].From = append(p.Ingress[0].From, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: "10.0.32.0/20"}})
		},
		"AllPorts": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) { p.Ingress[0].Ports = nil },
		"Range": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) {
			last := int32(65535)
			p.Ingress[0].Ports[0].EndPort = &last
		},
		"AnotherPort": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) {
			p.Ingress[0].Ports = append(p.Ingress[0].Ports, networkingv1.NetworkPolicyPort{})
		},
		"ByName": func(door deploy.Door, p *networkingv1.NetworkPolicySpec) {
			named := intstr.FromString(door.Port)
			p.Ingress = append(p.Ingress, networkingv1.NetworkPolicyIngressRule{Ports: []networkingv1.NetworkPolicyPort{{Port: &named}}})
		},
		"Nobody": func(_ deploy.Door, p *networkingv1.NetworkPolicySpec) { p.Ingress = nil },
	} {
		for _, door := range doors {
			t.Run(name+"/"+door.Policy, func(t *testing.T) {
				if wrong := deploy.JudgeDoor(changed(objects, door.Policy, nil), door); len(wrong) > 0 {
					t.Fatalf("without a change: %s", wrong)
				}
				change := func(p *networkingv1.NetworkPolicy) { open(door, &p.Spec) }
				if wrong := deploy.JudgeDoor(changed(objects, door.Policy, change), door); len(wrong) == 0 {
					t.Error("the judge sees nothing")
				}
			})
		}
	}
	for _, door := range doors {
		renamed := changed(objects, door.Policy, func(p *networkingv1.NetworkPolicy) { p.Name = "another" })
		if wrong := deploy.JudgeDoor(renamed, door); len(wrong) == 0 {
			t.Errorf("another policy than %s opens its door, and the judge sees nothing", door.Policy)
		}
	}
}

// changed are copies of the policies, of which the one of that name is changed.
func changed(objects []runtime.Object, name string, change func(p *networkingv1.NetworkPolicy)) []*networkingv1.NetworkPolicy {
	var all []*networkingv1.NetworkPolicy
	for _, p := range deploy.All[networkingv1.NetworkPolicy](objects) {
		p = p.DeepCopy()
		if p.Name == name && change != nil {
			change(p)
		}
		all = append(all, p)
	}
	return all
}
