package deploy_test

import (
	"maps"
	"strings"
	"testing"

	"order-processing-service/test/deploy"
)

// The templates, by the folder below deploy/.
var templates = []string{"aws", "fargate", "sam"}

func readTemplate(t *testing.T, name string) deploy.Template {
	t.Helper()
	template, err := deploy.ReadTemplate("../../deploy/" + name + "/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func TestPoliciesAreNarrow(t *testing.T) {
	for _, name := range templates {
		t.Run(name, func(t *testing.T) {
			template := readTemplate(t, name)
			statements := deploy.Statements(template)
			if len(statements) < 4 {
				t.Errorf("only %d statements were found", len(statements))
			}
			for path, statement := range statements {
				for _, wrong := range deploy.JudgeStatement(statement) {
					t.Errorf("%s: %s", path, wrong)
				}
			}
			for name, r := range template.Resources {
				judgeRoles(t, name, r)
			}
		})
	}
}

// judgeRoles looks at what gives rights without a statement.
func judgeRoles(t *testing.T, name string, r deploy.Resource) {
	t.Helper()
	if r.Type == "AWS::Serverless::Function" {
		if r.Properties["Role"] == nil || r.Properties["Policies"] != nil || r.Properties["Events"] != nil {
			t.Errorf("%s: SAM would give the function rights of its own making; say them in a role", name)
		}
	}
	deploy.Walk(r.Properties["ManagedPolicyArns"], name, func(path string, value any) {
		several, ok := value.([]any)
		if !ok || strings.HasSuffix(path, "Fn::If") {
			return
		}
		for _, arn := range several {
			if wrong := deploy.JudgeManagedPolicy(arn); wrong != "" {
				t.Errorf("%s: %s", path, wrong)
			}
		}
	})
}

// A judge that finds nothing wrong in anything is of no use.
func TestJudgeStatementSees(t *testing.T) {
	allow := func(with map[string]any) map[string]any {
		s := map[string]any{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": map[string]any{"Fn::GetAtt": "Queue.Arn"}}
		maps.Copy(s, with)
		return s
	}
	if wrong := deploy.JudgeStatement(allow(nil)); len(wrong) > 0 {
		t.Errorf("a narrow statement: %q", wrong)
	}
	for name, statement := range map[string]map[string]any{
		"EveryAction":      allow(map[string]any{"Action": "*"}),
		"ActionsOfService": allow(map[string]any{"Action": []any{"sqs:SendMessage", "sqs:*"}}),
		"AllActionsBut":    allow(map[string]any{"NotAction": "sqs:SendMessage"}),
		"NoAction":         allow(map[string]any{"Action": nil}),
		"EveryResource":    allow(map[string]any{"Resource": "*"}),
		"ResourcesByBegin": allow(map[string]any{"Resource": map[string]any{"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:*"}}),
		"NoResource":       allow(map[string]any{"Resource": nil}),
		"AllResourcesBut":  allow(map[string]any{"NotResource": "arn"}),
		"Everybody":        allow(map[string]any{"Principal": "*"}),
		"EveryAccount":     allow(map[string]any{"Principal": map[string]any{"AWS": "*"}}),
		"TracesAndMore":    allow(map[string]any{"Action": []any{"xray:PutTraceSegments", "sqs:SendMessage"}, "Resource": "*"}),
	} {
		t.Run(name, func(t *testing.T) {
			if len(deploy.JudgeStatement(statement)) == 0 {
				t.Errorf("nothing is wrong with %v", statement)
			}
		})
	}
	if deploy.JudgeManagedPolicy("arn:aws:iam::aws:policy/AdministratorAccess") == "" {
		t.Error("nothing is wrong with AdministratorAccess")
	}
}
