package deploy_test

import (
	"strings"
	"testing"

	"order-processing-service/test/deploy"
)

func TestTemplatesStandOperation(t *testing.T) {
	for _, name := range templates {
		t.Run(name, func(t *testing.T) {
			for _, wrong := range deploy.JudgeAll(readTemplate(t, name)) {
				t.Error(wrong)
			}
		})
	}
}

// Each template has one thing wrong, which the judge must name.
func TestJudgeSees(t *testing.T) {
	for name, test := range map[string]struct{ template, wrong string }{
		"OneGroup": {`
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Targets: [{Arn: !Ref SubscriberQueueArn, SqsParameters: {MessageGroupId: bus}}]`, "one message group"},
		"FifoTarget": {`
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Rule: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !GetAtt Queue.Arn}]}}`, "may be FIFO"},
		"NoDeadLetters": {`
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Rule: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !GetAtt Queue.Arn}]}}`, "is lost"},
		"FifoDeadLetters": {`
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Rule: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}]}}`, "is lost"},
		"FifoParameter": {`
Parameters:
  QueueArn: {Type: String, AllowedPattern: '^arn:aws:sqs:\S+$'}
Resources:
  Rule: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !Ref QueueArn}]}}`, "may name a FIFO queue"},
		"TaskReady": {`
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {ContainerDefinitions: [{HealthCheck: {Command: [CMD, /orders, healthcheck]}}]}`, "stop the task"},
		"TargetReady": {`
Resources:
  Group: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {HealthCheckPath: /health/ready}}`, "stop all tasks"},
		"FewTries": {`
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 180, MessageRetentionPeriod: 345600, RedrivePolicy: {maxReceiveCount: 100}}`, "outage of 5h0m0s"},
		"ShortRetention": {`
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 180, MessageRetentionPeriod: 86400, RedrivePolicy: {maxReceiveCount: 1000}}`, "outage of 24h0m0s"},
		"ChangingSecret": {`
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {SecretStringTemplate: !Sub '{"host":"${Host}"}', GenerateStringKey: password}}`, "a new password"},
		"AnyAudience": {`
Parameters:
  Issuer: {Type: String, Default: ""}
  Audience: {Type: CommaDelimitedList, Default: ""}
Rules:
  Jwt: {Assertions: [{Assert: !Not [!Equals [!Ref Issuer, ""]]}]}
Resources:
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties: {JwtConfiguration: {Issuer: !Ref Issuer, Audience: !Ref Audience}}`, "Audience may be left out"},
		"DeafAlarm": {`
Resources:
  Filter: {Type: AWS::Logs::MetricFilter, Properties: {MetricTransformations: [{MetricNamespace: orders, MetricName: Parks}]}}
  Alarm: {Type: AWS::CloudWatch::Alarm, Properties: {Namespace: orders, MetricName: Parked}}`, "nothing counts Parked"},
	} {
		t.Run(name, func(t *testing.T) {
			template, err := deploy.ParseTemplate([]byte(test.template))
			if err != nil {
				t.Fatal(err)
			}
			if wrong := strings.Join(deploy.JudgeAll(template), "\n"); !strings.Contains(wrong, test.wrong) {
				t.Errorf("%q does not say %q", wrong, test.wrong)
			}
		})
	}
}
