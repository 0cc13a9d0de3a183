package sqs

import (
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	ours "order-processing-service/internal/infrastructure/aws"
)

// maxAttribute bounds the value of an attribute of a dead letter, in bytes.
const maxAttribute = 1_024

// attributes makes attributes of names and values that come in turn. Those without a value are left out.
func attributes(pairs ...string) map[string]types.MessageAttributeValue {
	all := make(map[string]types.MessageAttributeValue)
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := attributeText(pairs[i+1]); value != "" {
			all[pairs[i]] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		}
	}
	return all
}

// attributeText is text without what SQS does not take, of bounded length.
func attributeText(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if len(text) > maxAttribute {
		text = strings.ToValidUTF8(text[:maxAttribute], "")
	}
	return text
}

// traceAttribute is the system attribute that carries a W3C traceparent.
func traceAttribute(traceparent string) map[string]types.MessageSystemAttributeValue {
	header := ours.TraceHeader(traceparent)
	if header == "" {
		return nil
	}
	return map[string]types.MessageSystemAttributeValue{
		string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {DataType: aws.String("String"), StringValue: &header},
	}
}

// stringAttribute is the value of an attribute of a received message; "" if it has none.
func stringAttribute(m *types.Message, name string) string {
	return aws.ToString(m.MessageAttributes[name].StringValue)
}
