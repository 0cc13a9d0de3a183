package deploy

import (
	"fmt"
	"slices"
	"strings"
)

// withoutResources are the actions for which AWS knows no resources; only they may have "*" for one.
var withoutResources = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords", "ecr:GetAuthorizationToken"}

// managedByAWS are the policies of AWS itself that may be used. Their resources have no names.
var managedByAWS = []string{"service-role/AWSLambdaVPCAccessExecutionRole"} // network interfaces in a VPC

// Statements finds each statement of each policy in a template, wherever it stands, by its path.
func Statements(t Template) map[string]map[string]any {
	found := map[string]map[string]any{}
	for name, r := range t.Resources {
		Walk(r.Properties, name, func(path string, value any) {
			if Find(value, "Effect") != nil {
				found[path], _ = value.(map[string]any)
			}
		})
	}
	return found
}

// JudgeStatement says what is too wide in a statement: an action or a resource that is not named, or what is allowed to
// everybody. Refusing everything is never too wide.
func JudgeStatement(s map[string]any) []string {
	if s["Effect"] != "Allow" {
		return nil
	}
	var wrong []string
	for _, name := range []string{"NotAction", "NotResource", "NotPrincipal"} {
		if s[name] != nil {
			wrong = append(wrong, name+" allows all that it does not name")
		}
	}
	actions := list(s["Action"])
	if len(actions) == 0 {
		wrong = append(wrong, "no action is named")
	}
	for _, action := range actions {
		name, isText := action.(string)
		if !isText || strings.ContainsAny(name, "*?") || !strings.Contains(name, ":") {
			wrong = append(wrong, fmt.Sprintf("action %v is not one by name", action))
		}
	}
	wrong = append(wrong, judgePrincipal(s["Principal"])...)
	if s["Principal"] != nil && fmt.Sprint(actions) == "[sts:AssumeRole]" {
		return wrong // who may take a role: the role is the resource
	}
	resources := list(s["Resource"])
	if len(resources) == 0 {
		wrong = append(wrong, "no resource is named")
	}
	for _, resource := range resources {
		if resource == "*" && areWithoutResources(actions) {
			continue
		}
		if isWide(resource) {
			wrong = append(wrong, fmt.Sprintf("resource %v is not named", resource))
		}
	}
	return wrong
}

func areWithoutResources(actions []any) bool {
	return !slices.ContainsFunc(actions, func(action any) bool {
		name, _ := action.(string)
		return !slices.Contains(withoutResources, name)
	})
}

// isWide tells whether a resource may be several; the objects of a bucket that is named are one.
func isWide(resource any) bool {
	text, isText := resource.(string)
	if sub, ok := Find(resource, "Fn::Sub").(string); ok {
		text, isText = strings.TrimSuffix(sub, "Bucket.Arn}/*"), true
	}
	return isText && strings.ContainsAny(text, "*?")
}

func judgePrincipal(principal any) []string {
	var wrong []string
	if principal == "*" {
		return []string{"it is allowed to everybody"}
	}
	for kind, who := range members(principal) {
		if kind != "Service" || slices.Contains(list(who), any("*")) {
			wrong = append(wrong, fmt.Sprintf("it is allowed to %s %v, which is no service of AWS", kind, who))
		}
	}
	return wrong
}

// JudgeManagedPolicy says what is wrong with a policy that a role is given by its ARN: it must be that of another stack, or
// one of AWS that is known here.
func JudgeManagedPolicy(arn any) string {
	if Find(arn, "Ref") != nil {
		return ""
	}
	name, _ := Find(arn, "Fn::Sub").(string)
	if allowed, ok := strings.CutPrefix(name, "arn:${AWS::Partition}:iam::aws:policy/"); ok && slices.Contains(managedByAWS, allowed) {
		return ""
	}
	return fmt.Sprintf("policy %v is not known to be narrow", arn)
}
