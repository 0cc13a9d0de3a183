package aws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"order-processing-service/test/secrecy"
)

// TestCommandsAreNotLogged plants markers in commands that are applied, come early and can't be applied, and in what is no
// command; the worker tells the bus of what it does. None of them is in its log.
func TestCommandsAreNotLogged(t *testing.T) {
	var id string
	s, m := newShop(t, "", &id), new(secrecy.Markers)
	s.makeBus(t, s.makeQueue(t, "-told"), "order-processing-service")
	w := s.work(t, "LOG_LEVEL=DEBUG", "EVENTS=eventbridge", "EVENT_BUS_NAME="+s.name, "COMMANDS_EARLY_FOR=1s", "COMMANDS_EARLY_RECEIVES=1")
	member := func(name string) string { return fmt.Sprintf(`%q:%q`, name, m.Text("command "+name)) }
	about := func(kind, order string, members ...string) string {
		return fmt.Sprintf(`{"type":%q,"orderId":%q,%s}`, kind, order, strings.Join(append(members, member("id"), member("source"), member("note")), ","))
	}
	dead := []string{
		m.Text("no JSON"),
		`{"type":"` + m.Text("half a command"),
		about(m.Text("type"), id),
		about("PaymentSucceeded", m.Text("orderId")),
		about("PaymentSucceeded", id, member("amount"), `"currency":"EUR"`),
		about("PaymentSucceeded", id, `"amount":`+m.Number("amount"), `"currency":"EUR"`),
		about("PaymentSucceeded", id, `"amount":25.00`, member("currency")),
		about("ShipmentDelivered", "6743f1a0c2d4e6f801234567"),
		fmt.Sprintf(`{"specversion":"1.0",%s,%s,"type":"com.example.%s","data":{"orderId":%q}}`, member("id"), member("source"), m.Text("type of a CloudEvent"), id),
	}
	s.send(t, "", dead...)
	w.await(t, `"outcome":"dead-lettered"`, len(dead)) // a wrong amount is one only as long as the order is not paid
	s.send(t, "", about("PaymentFailed", id, member("reason")), about("PaymentSucceeded", id, `"amount":25.00`, `"currency":"EUR"`))
	w.await(t, `"outcome":"applied"`, 2)
	_, err := s.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &s.commands, MessageBody: aws.String(about("ShipmentDispatched", id, member("carrier"), member("tracking"))),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{
			"reason": {DataType: aws.String("String"), StringValue: aws.String(m.Text("an attribute"))},
		},
	})
	must(t, err)
	w.await(t, `"outcome":"applied"`, 3)
	w.stop()
	for _, sighting := range m.Seen(w.log.String()) {
		t.Errorf("%.600s", sighting)
	}
}
