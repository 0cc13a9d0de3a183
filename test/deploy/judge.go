package deploy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Judge says what would go wrong in operation with a resource of a template, though CloudFormation takes it.
func Judge(t Template, r Resource) []string {
	switch r.Type {
	case "AWS::Events::Rule":
		return judgeRule(t, r)
	case "AWS::CloudWatch::Alarm":
		return judgeAlarm(t, r)
	case "AWS::SQS::Queue":
		return judgeQueue(r)
	case "AWS::SecretsManager::Secret":
		return judgeSecret(r)
	case "AWS::ApiGatewayV2::Authorizer":
		return judgeAuthorizer(t, r)
	case "AWS::ECS::TaskDefinition":
		return judgeTask(r)
	case "AWS::ElasticLoadBalancingV2::TargetGroup":
		if path := r.Properties["HealthCheckPath"]; path != "/health/live" {
			return []string{fmt.Sprintf("its check, %v, makes ECS stop all tasks while the store is away", path)}
		}
		return nil
	default:
		return nil
	}
}

// judgeRule looks at where a rule sends events to.
func judgeRule(t Template, r Resource) []string {
	var wrong []string
	for _, target := range list(r.Properties["Targets"]) {
		if Find(target, "SqsParameters", "MessageGroupId") != nil {
			wrong = append(wrong, "all its events are in one message group, where one that must come again holds up all others")
		}
		if queue, ok := queueOf(t, Find(target, "Arn")); ok && queue.Properties["FifoQueue"] != nil && r.Whole["Condition"] == nil {
			wrong = append(wrong, "it fills a queue that may be FIFO")
		}
		if queue, ok := queueOf(t, Find(target, "DeadLetterConfig", "Arn")); !ok || queue.Properties["FifoQueue"] != nil {
			wrong = append(wrong, "what can't be delivered is lost: it needs a standard queue of the template for dead letters")
		}
		if parameter, ok := Find(target, "Arn", "Ref").(string); ok && takesFifo(t.Parameters[parameter]) {
			wrong = append(wrong, parameter+" may name a FIFO queue")
		}
	}
	return wrong
}

// outage is how long the store may be away before Lambda, which takes messages all the same, has used up their tries.
const outage = 48 * time.Hour

// judgeQueue looks at whether messages outlive an outage of the store.
func judgeQueue(r Resource) []string {
	tries, hasTries := Find(r.Properties, "RedrivePolicy", "maxReceiveCount").(string)
	if !hasTries {
		return nil
	}
	visibility, _ := r.Properties["VisibilityTimeout"].(string)
	for what, limit := range map[string][]string{
		"tries": {tries, visibility}, "retention": {fmt.Sprint(r.Properties["MessageRetentionPeriod"])},
	} {
		lasts := time.Second
		for _, number := range limit {
			n, err := strconv.Atoi(number)
			if err != nil {
				return []string{fmt.Sprintf("its %s are no numbers: %q", what, limit)}
			}
			lasts *= time.Duration(n)
		}
		if lasts < outage {
			return []string{fmt.Sprintf("its %s last for an outage of %s, want %s", what, lasts, outage)}
		}
	}
	return nil
}

// judgeSecret looks at whether a parameter would change how a password is made: CloudFormation then makes another one.
func judgeSecret(r Resource) []string {
	var wrong []string
	Walk(r.Properties["GenerateSecretString"], "GenerateSecretString", func(path string, value any) {
		for name := range members(value) {
			if name == "Ref" || strings.HasPrefix(name, "Fn::") {
				wrong = append(wrong, path+" can change, which would write a new password over the one in use")
			}
		}
	})
	return wrong
}

// judgeAuthorizer looks at whether a rule of the template asserts each parameter that may be left out: an authorizer without
// an audience lets in who has a token for anything.
func judgeAuthorizer(t Template, r Resource) []string {
	asserted := references(t.Rules)
	var wrong []string
	for _, name := range references(r.Properties["JwtConfiguration"]) {
		if t.Parameters[name]["Default"] == "" && !slices.Contains(asserted, name) {
			wrong = append(wrong, name+" may be left out, and no rule asserts it")
		}
	}
	return wrong
}

// references are the names that stand in Ref within a value.
func references(value any) []string {
	var names []string
	Walk(value, "", func(_ string, within any) {
		if name, ok := Find(within, "Ref").(string); ok {
			names = append(names, name)
		}
	})
	return names
}

// takesFifo tells whether a parameter allows the ARN of a FIFO queue.
func takesFifo(parameter map[string]any) bool {
	text, _ := parameter["AllowedPattern"].(string)
	pattern, err := regexp.Compile(text)
	return err != nil || pattern.MatchString("arn:aws:sqs:eu-west-1:111122223333:events.fifo")
}

// judgeTask looks at the containers of a task.
func judgeTask(r Resource) []string {
	containers := list(r.Properties["ContainerDefinitions"])
	if len(containers) == 0 {
		return []string{"it has no container"}
	}
	var wrong []string
	for _, container := range containers {
		if check := list(Find(container, "HealthCheck", "Command")); !slices.Contains(check, any("--live")) {
			wrong = append(wrong, fmt.Sprintf("its check, %v, makes ECS stop the task while the store is away", check))
		}
	}
	return wrong
}

// judgeAlarm looks at whether anything counts what an alarm of ours waits for.
func judgeAlarm(t Template, r Resource) []string {
	if namespace, isText := r.Properties["Namespace"].(string); isText && strings.HasPrefix(namespace, "AWS/") {
		return nil
	}
	for _, filter := range t.Resources {
		for _, counted := range list(filter.Properties["MetricTransformations"]) {
			if cmp.Equal(Find(counted, "MetricNamespace"), r.Properties["Namespace"]) && Find(counted, "MetricName") == r.Properties["MetricName"] {
				return nil
			}
		}
	}
	return []string{fmt.Sprintf("nothing counts %v, so it never rings", r.Properties["MetricName"])}
}

// queueOf is the queue of the template whose ARN stands there.
func queueOf(t Template, arn any) (Resource, bool) {
	for name, r := range t.Resources {
		if r.Type == "AWS::SQS::Queue" && Find(arn, "Fn::GetAtt") == name+".Arn" {
			return r, true
		}
	}
	return Resource{}, false
}

// JudgeAll is what Judge says of each resource of a template, after its name.
func JudgeAll(t Template) []string {
	var all []string
	for name, r := range t.Resources {
		for _, wrong := range Judge(t, r) {
			all = append(all, fmt.Sprintf("%s: %s", name, wrong))
		}
	}
	return all
}
