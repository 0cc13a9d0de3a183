package deploy_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/deploy"
)

// What the stack of deploy/aws makes is the same as what deploy/sam makes for itself.
func TestTemplatesShareResources(t *testing.T) {
	sam, aws := readTemplate(t, "sam"), readTemplate(t, "aws")
	shared := 0
	for name, r := range aws.Resources {
		if name == "ServicePolicy" {
			continue
		}
		shared++
		if diff := cmp.Diff(sam.Resources[name].Whole, r.Whole); diff != "" {
			t.Errorf("%s: -sam +aws\n%s", name, diff)
		}
	}
	if shared < 10 {
		t.Errorf("they share %d resources", shared)
	}
	function := slices.Collect(maps.Values(deploy.Statements(sam)))
	allowed := 0
	for path, statement := range deploy.Statements(aws) {
		if !strings.HasPrefix(path, "ServicePolicy.") {
			continue
		}
		allowed++
		if !slices.ContainsFunc(function, func(s map[string]any) bool { return cmp.Equal(s, statement) }) {
			t.Errorf("deploy/sam does not allow what deploy/aws does: %v", statement)
		}
	}
	if allowed < 6 {
		t.Errorf("only %d statements of the service's policy were found", allowed)
	}
}

// The guide hands the outputs of one stack to the next as they are.
func TestTemplatesFitTogether(t *testing.T) {
	outputs, fargate := readTemplate(t, "aws").Outputs, readTemplate(t, "fargate")
	if len(outputs) == 0 {
		t.Error("deploy/aws has no outputs")
	}
	for name := range outputs {
		if fargate.Parameters[name] == nil {
			t.Errorf("deploy/fargate has no parameter for the output %s of deploy/aws", name)
		}
	}
}

func TestTemplatesTakeImagesByParameter(t *testing.T) {
	for _, name := range []string{"sam", "fargate"} {
		t.Run(name, func(t *testing.T) {
			template := readTemplate(t, name)
			images := 0
			for _, r := range template.Resources {
				deploy.Walk(r.Properties, "", func(path string, value any) {
					if !strings.HasSuffix(path, ".Image") && !strings.HasSuffix(path, ".ImageUri") {
						return
					}
					images++
					parameter, _ := deploy.Find(value, "Ref").(string)
					pattern, _ := template.Parameters[parameter]["AllowedPattern"].(string)
					judgeImagePattern(t, path, pattern)
				})
			}
			if images == 0 {
				t.Error("no image was found")
			}
		})
	}
}

func judgeImagePattern(t *testing.T, path, pattern string) {
	t.Helper()
	allowed, err := regexp.Compile(pattern)
	if err != nil || pattern == "" {
		t.Errorf("%s is no parameter with a pattern: %v", path, err)
		return
	}
	const repository = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/orders"
	for image, want := range map[string]bool{
		repository + ":1.2.3": true, repository + ":v1.2.3": true, repository + "@sha256:" + strings.Repeat("0a", 32): true,
		repository: false, repository + ":latest": false, repository + ":": false, repository + "@sha256:0a": false, "orders:1.2.3": false,
	} {
		if allowed.MatchString(image) != want {
			t.Errorf("%s: image %s is allowed: %v", path, image, !want)
		}
	}
}

// A policy for a secret's ARN without the end that AWS gives it would match nothing.
func TestTemplatesTakeWholeSecrets(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
	for _, name := range templates {
		pattern, _ := readTemplate(t, name).Parameters["MongoSecretArn"]["AllowedPattern"].(string)
		allowed, err := regexp.Compile(pattern)
		if err != nil || pattern == "" {
			t.Fatalf("%s: pattern %q: %v", name, pattern, err)
		}
		for arn, want := range map[string]bool{
			secret + "MongoSecret-AbC3eF": true, secret + "orders/mongo-AbC3eF": true,
			secret + "orders/mongo": false, secret + "*": false, secret + "orders mongo-AbC3eF": false,
		} {
			if allowed.MatchString(arn) != want {
				t.Errorf("%s: secret %s is allowed: %v", name, arn, !want)
			}
		}
	}
}

// What the issue of every such file is: that a thing which it is there for is not in it.
func TestTemplatesAreWhole(t *testing.T) {
	for name, types := range map[string][]string{
		"sam": {
			"AWS::Serverless::Function", "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Authorizer", "AWS::Events::EventBus",
			"AWS::Events::Rule", "AWS::SQS::Queue", "AWS::CloudWatch::Alarm", "AWS::Lambda::EventSourceMapping", "AWS::S3::Bucket",
			"AWS::SecretsManager::Secret", "AWS::Scheduler::Schedule", "AWS::Logs::LogGroup",
		},
		"fargate": {
			"AWS::ECS::Cluster", "AWS::ECS::Service", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::Listener",
			"AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::EC2::SecurityGroup",
		},
	} {
		var found []string
		for _, r := range readTemplate(t, name).Resources {
			found = append(found, r.Type)
		}
		for _, kind := range types {
			if !slices.Contains(found, kind) {
				t.Errorf("deploy/%s has no %s", name, kind)
			}
		}
	}
}

// Each row is a promise of a guide; value is what must stand there, in the long form of functions.
func TestTemplatesKeepPromises(t *testing.T) {
	ref := func(name string) any { return map[string]any{"Ref": name} }
	for _, promise := range []struct {
		template, resource string
		path               []string
		value              any
	}{
		{"sam", "OrdersFunction", []string{"PackageType"}, "Image"},
		{"sam", "OrdersFunction", []string{"Architectures"}, []any{"arm64"}},
		{"sam", "OrdersFunction", []string{"Tracing"}, "Active"},
		{"sam", "OrdersFunction", []string{"AutoPublishAlias"}, "live"},
		{"sam", "OrdersFunction", []string{"DeploymentPreference", "Type"}, ref("DeploymentType")},
		{"sam", "OrdersFunction", []string{"Environment", "Variables", "AUTH"}, map[string]any{
			"Fn::If": []any{"NeedsJwt", "gateway", ref("AWS::NoValue")},
		}},
		{"sam", "OrdersFunction", []string{"Environment", "Variables", "APP_ENV"}, map[string]any{
			"Fn::If": []any{"NeedsJwt", "production", ref("AWS::NoValue")},
		}},
		{"sam", "ApiPreflightRoute", []string{"RouteKey"}, "OPTIONS /{proxy+}"},
		{"sam", "ApiPreflightRoute", []string{"AuthorizationType"}, "NONE"},
		{"sam", "CommandsSource", []string{"FunctionResponseTypes"}, []any{"ReportBatchItemFailures"}},
		{"sam", "Sweep", []string{"Target", "Input"}, `{"sweep":true}`},
		{"sam", "FunctionLogGroup", []string{"RetentionInDays"}, ref("LogRetentionDays")},
		{"sam", "ManifestBucket", []string{"PublicAccessBlockConfiguration", "BlockPublicPolicy"}, "true"},
		{"sam", "CommandsQueue", []string{"SqsManagedSseEnabled"}, "true"},
		{"fargate", "HttpsListener", []string{"Protocol"}, "HTTPS"},
		{"fargate", "ServerService", []string{"DeploymentConfiguration", "DeploymentCircuitBreaker", "Rollback"}, "true"},
		{"fargate", "WorkerService", []string{"DeploymentConfiguration", "DeploymentCircuitBreaker", "Rollback"}, "true"},
		{"fargate", "ServerService", []string{"NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp"}, "DISABLED"},
	} {
		found := deploy.Find(readTemplate(t, promise.template).Resources[promise.resource].Properties, promise.path...)
		if diff := cmp.Diff(promise.value, found); diff != "" {
			t.Errorf("%s, %s of %s: %s", promise.template, strings.Join(promise.path, "."), promise.resource, diff)
		}
	}
}

// No stack is made without an identity provider: whoever makes one must say which, and nothing is not an answer.
func TestFargateAsksForTheProvider(t *testing.T) {
	template := readTemplate(t, "fargate")
	for _, name := range []string{"JwtIssuer", "JwtAudience", "JwtJwksUrl", "PublicSubnetCidrs"} {
		parameter := template.Parameters[name]
		pattern, _ := parameter["AllowedPattern"].(string)
		allowed, err := regexp.Compile(pattern)
		if err != nil || pattern == "" || allowed.MatchString("") || parameter["Default"] != nil {
			t.Errorf("%s may be left out: pattern %q, default %v, %v", name, pattern, parameter["Default"], err)
		}
	}
}
