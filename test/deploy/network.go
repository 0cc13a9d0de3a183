package deploy

import (
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Door is the one way to a port of our pods that network policies may leave open.
type Door struct {
	Policy string // the policy that opens it
	Port   string // what containers call the port
	Number int32
	Who    []networkingv1.NetworkPolicyPeer // who may go through, and nobody else
}

// JudgeDoor says what is wrong with a door: a policy that lets anybody else in, by this port or by more than it, or lets in nobody. Policies add
// up, so each rule of each of them counts.
func JudgeDoor(policies []*networkingv1.NetworkPolicy, door Door) []string {
	tcp, number := corev1.ProtocolTCP, intstr.FromInt32(door.Number)
	want := networkingv1.NetworkPolicyIngressRule{
		From:  door.Who,
		Ports: []networkingv1.NetworkPolicyPort{{Protocol: &tcp, Port: &number}},
	}
	var wrong []string
	open := 0
	for _, p := range policies {
		for _, rule := range p.Spec.Ingress {
			if !reaches(rule, door) {
				continue
			}
			open++
			if diff := cmp.Diff(want, rule); diff != "" {
				wrong = append(wrong, fmt.Sprintf("%s lets in others than it should (-want +got):\n%s", p.Name, diff))
			}
			if p.Name != door.Policy {
				wrong = append(wrong, fmt.Sprintf("%s opens port %d, which is for %s to do", p.Name, door.Number, door.Policy))
			}
		}
	}
	if open != 1 || len(door.Who) == 0 {
		wrong = append(wrong, fmt.Sprintf("%d rules let %d peers in at port %d", open, len(door.Who), door.Number))
	}
	return wrong
}

// reaches tells whether a rule is about the port of a door: by number, by name, in a range, or because it names none.
func reaches(rule networkingv1.NetworkPolicyIngressRule, door Door) bool {
	return len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports, func(to networkingv1.NetworkPolicyPort) bool {
		return to.Port == nil || to.EndPort != nil || to.Port.IntVal == door.Number || to.Port.StrVal == door.Port
	})
}
