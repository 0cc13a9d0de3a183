package sqs_test

import (
	"net/http"
	"strconv"
	"time"

	"order-processing-service/internal/infrastructure/aws/sqs"
)

func redrive(url string) sqs.Redrive { return sqs.Redrive{QueueURL: url, Most: 100} }

// letterOf is a dead letter that has the id, of a message that had another one at first.
func letterOf(id, original string) call {
	return call{
		"MessageId": id, "ReceiptHandle": "r-" + id, "Body": "{}", "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
		"Attributes":        call{"SentTimestamp": strconv.FormatInt(time.Now().UnixMilli(), 10)},
		"MessageAttributes": call{"original-message-id": call{"DataType": "String", "StringValue": original}},
	}
}

// letterbox answers the calls of a look at dead letters: each receive with the next letters, then with none.
func letterbox(receives ...[]call) map[string]func(call) (int, any) {
	n := 0
	return map[string]func(call) (int, any){
		"ReceiveMessage": func(call) (int, any) {
			if n == len(receives) {
				return http.StatusOK, call{}
			}
			n++
			return http.StatusOK, call{"Messages": receives[n-1]}
		},
		"DeleteMessageBatch":           answer(call{"Successful": []call{{"Id": "0"}}}),
		"ChangeMessageVisibilityBatch": answer(call{}),
	}
}
