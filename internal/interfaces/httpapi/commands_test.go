package httpapi_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"order-processing-service/internal/application/wire"
)

// The examples in docs/commands.md are as /asyncapi.json says, and are taken. Each type has one in each form.
func TestCommandExamples(t *testing.T) {
	c := newContract(t, "asyncapi.json", document(t, "/asyncapi.json"))
	text, err := os.ReadFile("../../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, example := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(text, -1) {
		command, err := wire.DecodeCommand(example[1])
		if err != nil {
			t.Errorf("%v in %s", err, example[1])
			continue
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(example[1])))
		if err != nil {
			t.Fatal(err)
		}
		name := string(command.Report.Type)
		if err := c.schema(t, "asyncapi.json#/components/messages/"+name+"Command/payload").Validate(value); err != nil {
			t.Errorf("%v in %s", err, example[1])
		}
		seen[name] = true
		for _, member := range []string{"detail-type", "specversion"} {
			if strings.Contains(string(example[1]), `"`+member+`"`) {
				seen[member] = true
			}
		}
	}
	if len(seen) != len(wire.CommandForms())+2 {
		t.Errorf("there are only examples of %v", seen)
	}
}

// What the decoder refuses, the schemas do too.
func TestCommandSchemasRefuse(t *testing.T) {
	c := newContract(t, "asyncapi.json", document(t, "/asyncapi.json"))
	schema := c.schema(t, "asyncapi.json#/components/messages/PaymentSucceededCommand/payload")
	const id = `"orderId":"6743f1a0c2d4e6f801234567"`
	for text, good := range map[string]bool{
		`{"type":"PaymentSucceeded",` + id + `}`:                                                                      true,
		`{"type":"PaymentSucceeded",` + id + `,"amount":"1.50","currency":"EUR","more":[]}`:                           true,
		`{"id":"1","source":"s","detail-type":"PaymentSucceeded","detail":{` + id + `}}`:                              true,
		`{"specversion":"1.0","id":"1","source":"s","type":"com.example.PaymentSucceeded","data":{` + id + `}}`:       true,
		`{"type":"PaymentSucceeded"}`:                                                                                 false,
		`{"type":"PaymentSucceeded","orderId":"17"}`:                                                                  false,
		`{"type":"PaymentSucceeded",` + id + `,"amount":true}`:                                                        false,
		`{"type":"PaymentSucceeded",` + id + `,"id":5}`:                                                               false,
		`{"type":5,` + id + `}`:                                                                                       false,
		`{"id":"1","source":"s","detail-type":"PaymentSucceeded","detail":{"amount":1}}`:                              false,
		`{"id":"1","source":"s","detail-type":"PaymentSucceeded","detail":"` + strings.ReplaceAll(id, `"`, ``) + `"}`: false,
		`[]`: false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); (err == nil) != good {
			t.Errorf("the schema says %v of %s", err, text)
		}
		if _, err := wire.DecodeCommand([]byte(text)); (err == nil) != good {
			t.Errorf("the decoder says %v of %s", err, text)
		}
	}
}
