package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/domain/order"
)

var update = flag.Bool("update", false, "write the documents in docs anew")

// The documents are committed, so that a change of the contract is seen in review.
func TestDocumentsAreCurrent(t *testing.T) {
	for _, name := range []string{"openapi.json", "asyncapi.json"} {
		path := filepath.Join("..", "..", "..", "docs", name)
		text := document(t, "/"+name)
		if *update {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(kept), string(text)); diff != "" {
			t.Errorf("%s is not current, run go generate ./...: %s", path, diff)
		}
	}
}

func TestLimitsInSchemasAreTheDomains(t *testing.T) {
	c := contractOf(t)
	at := func(path string) any {
		t.Helper()
		var value any = c.doc
		for key := range strings.SplitSeq("components/schemas/"+path, "/") {
			m, ok := value.(map[string]any)
			if !ok || m[key] == nil {
				t.Fatalf("there is no %s in the document", path)
			}
			value = m[key]
		}
		return value
	}
	for path, want := range map[string]int{
		"NewOrder/properties/customer_id/maxLength":                   order.MaxCustomerID,
		"NewOrder/properties/reference/maxLength":                     order.MaxReference,
		"NewOrder/properties/items/maxItems":                          order.MaxLines,
		"NewOrder/properties/metadata/maxProperties":                  order.MaxMetadata,
		"NewOrder/properties/metadata/propertyNames/maxLength":        order.MaxMetadataKey,
		"NewOrder/properties/metadata/additionalProperties/maxLength": order.MaxMetadataValue,
		"NewItem/properties/sku/maxLength":                            order.MaxSKU,
		"NewItem/properties/name/maxLength":                           order.MaxName,
		"NewItem/properties/quantity/maximum":                         order.MaxQuantity,
		"Batch/properties/orders/maxItems":                            ordering.MaxBatch,
		"BatchResults/properties/results/maxItems":                    ordering.MaxBatch,
		"BatchOrder/properties/idempotency_key/maxLength":             ordering.MaxIdempotencyKey,
		"Order/properties/customer_id/maxLength":                      order.MaxCustomerID,
		"Order/properties/reference/maxLength":                        order.MaxReference,
		"Order/properties/items/maxItems":                             order.MaxLines,
		"Order/properties/metadata/maxProperties":                     order.MaxMetadata,
		"Item/properties/sku/maxLength":                               order.MaxSKU,
		"Item/properties/name/maxLength":                              order.MaxName,
		"Item/properties/quantity/maximum":                            order.MaxQuantity,
		"OrderPage/properties/orders/maxItems":                        ordering.MaxLimit,
	} {
		if got := toInt(t, at(path)); got != want {
			t.Errorf("%s is %d, want %d", path, got, want)
		}
	}
	enum, _ := at("NewOrder/properties/currency/enum").([]any)
	if len(enum) != len(money.Codes())+1 || enum[len(enum)-1] != nil {
		t.Errorf("the currencies are %v", enum)
	}
}

func toInt(t *testing.T, value any) int {
	t.Helper()
	n, ok := value.(interface{ Int64() (int64, error) })
	if !ok {
		t.Fatalf("%v (%T) is no number", value, value)
	}
	i, err := n.Int64()
	if err != nil {
		t.Fatal(err)
	}
	return int(i)
}

// The example bodies keep to their schemas, and the service takes them.
func TestExamplesAreTaken(t *testing.T) {
	s := start(t, nil)
	taken := 0
	for template, item := range members(s.contract.doc, "paths") {
		for method := range members(item) {
			at := "/requestBody/content/application~1json/schema"
			for name, example := range members(item, method, "requestBody", "content", "application/json", "examples") {
				value := members(example)["value"]
				schema := s.contract.schema(t, "openapi.json#/paths/"+strings.ReplaceAll(template, "/", "~1")+"/"+method+at)
				if err := schema.Validate(value); err != nil {
					t.Errorf("%s %s, %s: %v", method, template, name, err)
				}
				path := strings.Replace(template, "{order_id}", s.place(tea).ID, 1)
				a := s.do(strings.ToUpper(method), path, jsonText(t, value))
				if a.status >= 300 || strings.Contains(a.body, "problem") {
					t.Errorf("%s %s, %s: %d %s", method, template, name, a.status, a.body)
				}
				taken++
			}
		}
	}
	if taken < 5 {
		t.Errorf("only %d examples", taken)
	}
}

// members returns the members of the object that lies below value at the given names; none if there
// is no such object.
func members(value any, at ...string) map[string]any {
	object, _ := value.(map[string]any)
	for _, name := range at {
		object, _ = object[name].(map[string]any)
	}
	return object
}

func jsonText(t *testing.T, value any) string {
	t.Helper()
	var b strings.Builder
	if err := huma.DefaultJSONFormat.Marshal(&b, value); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every event that orders bring about is as /asyncapi.json says.
func TestEventsKeepTheirContract(t *testing.T) {
	c := newContract(t, "asyncapi.json", document(t, "/asyncapi.json"))
	messages := members(c.doc, "components", "messages")
	if forms := len(wire.EventForms()) + len(wire.CommandForms()); len(messages) != forms {
		t.Errorf("%d messages for %d forms", len(messages), forms)
	}
	s := start(t, nil)
	full := `{"customer_id":"c","reference":"r","metadata":{"a":"b"},"currency":"KWD","items":[{"sku":"A","name":"n","quantity":3,"unit_price":"1.5"}]}`
	seen := map[order.EventType]bool{}
	for _, through := range [][]string{
		{`{"status":"PAID"}`, `{"status":"SHIPPED"}`, `{"status":"DELIVERED"}`, `{"metadata":{"a":null,"c":"d"}}`},
		{`{"status":"PAID"}`, `{"status":"CANCELED"}`},
		{`{"status":"CANCELED"}`},
	} {
		for _, body := range []string{tea, full} {
			id, err := order.ParseID(s.place(body).ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, patch := range through {
				s.do("PATCH", "/orders/"+id.String(), patch)
			}
			o, err := s.store.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			events, err := s.store.Events(t.Context(), id, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				seen[e.Type] = true
				text := wire.AppendCloudEvent(nil, id, o.View().CustomerID, &e, o.View().Currency)
				value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
				if err != nil {
					t.Fatal(err)
				}
				if err := c.schema(t, "asyncapi.json#/components/messages/"+string(e.Type)+"/payload").Validate(value); err != nil {
					t.Errorf("%s: %v in %s", e.Type, err, text)
				}
			}
			s.do("GET", "/orders/"+id.String()+"/timeline", "") // is held against /openapi.json
		}
	}
	if len(seen) < 8 {
		t.Errorf("only these events were seen: %v", seen)
	}
}

// The page works without another host, wherever a gateway puts it: its policy names the scripts that stand in it, and its
// links are relative.
func TestDocsPage(t *testing.T) {
	s := start(t, nil)
	page := s.do("GET", "/docs", "")
	policy := page.header.Get("Content-Security-Policy")
	for _, script := range regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(page.body, -1) {
		sum := sha256.Sum256([]byte(script[1]))
		if !strings.Contains(policy, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("the policy %s does not name %.80s", policy, script[1])
		}
	}
	if strings.Contains(policy, "http") || strings.Contains(policy, "script-src 'self' 'unsafe") {
		t.Errorf("the policy is %s", policy)
	}
	assets := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(assets) < 5 {
		t.Errorf("the page has only %v", assets)
	}
	for _, asset := range assets {
		a := s.do("GET", "/"+asset[1], "") // relative to /docs
		if !strings.HasPrefix(asset[1], "docs/") || a.status != 200 || len(a.body) < 100 {
			t.Errorf("%s: %d, %d bytes", asset[1], a.status, len(a.body))
		}
	}
	if !strings.Contains(page.body, `"swaggerJsonUrl":"../openapi.json"`) {
		t.Error("the page does not ask for openapi.json beside it")
	}
	tag := s.do("GET", "/openapi.json", "").header.Get("ETag")
	if a := s.do("GET", "/openapi.json", "", "If-None-Match: "+tag); a.status != 304 {
		t.Errorf("the same document is sent again: %d", a.status)
	}
}

// Every struct of package wire that the API names has its fields documented.
func TestEveryFieldIsDocumented(t *testing.T) {
	for _, form := range []any{
		wire.Order{},
		wire.Item{},
		wire.Payment{},
		wire.Refund{},
		wire.Fulfillment{},
		wire.Return{},
		wire.Part{},
		wire.Actions{},
		wire.Action{},
		wire.NewOrder{},
		wire.NewItem{},
		wire.Batch{},
		wire.BatchOrder{},
		wire.Patch{},
		wire.OrderPage{},
		wire.OrderExport{},
		wire.BatchResults{},
		wire.BatchResult{},
		wire.Timeline{},
		wire.TimelineEntry{},
		wire.Delivery{},
		wire.DeliveryPage{},
		wire.DeliveryAction{},
		wire.Redriven{},
		wire.Health{},
		wire.Problem{},
		wire.ProblemField{},
		wire.CloudEvent{},
		wire.EventData{},
		wire.OrderCreatedData{},
		wire.EventItem{},
		wire.CommandData{},
		wire.PaymentCommand{},
		wire.ShipmentCommand{},
		wire.PlainCommand{},
		wire.EventBridgeCommand{},
		wire.CloudEventCommand{},
	} {
		structure := reflect.TypeOf(form)
		for field := range structure.Fields() {
			if !field.Anonymous && field.Name != "_" && !strings.HasSuffix(field.Tag.Get("doc"), ".") {
				t.Errorf("%s.%s has no doc that is a sentence", structure.Name(), field.Name)
			}
		}
	}
}
