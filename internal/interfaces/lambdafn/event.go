package lambdafn

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// kind is what an event is, as told by its shape: no event says so itself.
type kind uint8

const (
	unknown      kind = iota
	restAPI           // API Gateway REST API, or HTTP API with payload format 1.0
	httpAPI           // API Gateway HTTP API with payload format 2.0, or a function URL
	loadBalancer      // Application Load Balancer
	queueBatch        // messages of an SQS queue
	schedule          // EventBridge Scheduler, or a scheduled rule of EventBridge
)

// event has the members that are needed of all kinds of events. What an event has besides is not looked at, so that a
// member which comes in a new form, an authorizer's claims say, keeps no request from being answered.
type event struct {
	Version string `json:"version"`

	HTTPMethod string  `json:"httpMethod"`
	Path       string  `json:"path"`
	Body       *string `json:"body"`
	IsBase64   bool    `json:"isBase64Encoded"`

	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`

	RawPath        string   `json:"rawPath"`
	RawQueryString string   `json:"rawQueryString"`
	Cookies        []string `json:"cookies"`

	Context *eventContext `json:"requestContext"`

	Records []record `json:"Records"`

	Source     string `json:"source"`
	DetailType string `json:"detail-type"`
	Sweep      bool   `json:"sweep"`
}

// eventContext is what the events of HTTP requests say of where they come from.
type eventContext struct {
	Stage        string `json:"stage"`
	RequestID    string `json:"requestId"`
	DomainName   string `json:"domainName"`
	Path         string `json:"path"`
	Protocol     string `json:"protocol"`
	ConnectionID string `json:"connectionId"` // of a WebSocket
	Identity     struct {
		SourceIP string `json:"sourceIp"`
	} `json:"identity"`
	HTTP *struct {
		Method   string `json:"method"`
		Path     string `json:"path"`
		Protocol string `json:"protocol"`
		SourceIP string `json:"sourceIp"`
	} `json:"http"`
	ELB        *struct{}      `json:"elb"`
	Authorizer jsontext.Value `json:"authorizer"` // in several forms
}

// record is a message of an SQS batch, or something else that comes in batches.
type record struct {
	EventSource    string            `json:"eventSource"`
	EventSourceARN string            `json:"eventSourceARN"`
	MessageID      string            `json:"messageId"`
	Body           string            `json:"body"`
	Attributes     map[string]string `json:"attributes"`
	Sent           map[string]struct {
		StringValue string `json:"stringValue"`
	} `json:"messageAttributes"`
}

// decode reads an event. Its error is an EventError.
func decode(payload []byte) (*event, error) {
	e := new(event)
	// A gateway passes on its client's text, in which a name may come twice: the API answers that, not the invocation.
	if err := json.Unmarshal(payload, e, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, EventError{"this event can't be read: it is no JSON object, or a member has another type than in the events of " +
			"API Gateway, load balancers, SQS and schedules; check what invokes the function"}
	}
	return e, nil
}

func (e *event) kind() kind {
	switch c := e.Context; {
	case c != nil && c.ELB != nil:
		return loadBalancer
	case c != nil && c.HTTP != nil && c.HTTP.Method != "":
		return httpAPI
	case c != nil && c.ConnectionID == "" && e.HTTPMethod != "" && e.Path != "":
		return restAPI
	case len(e.Records) > 0:
		for _, r := range e.Records {
			if r.EventSource != "aws:sqs" {
				return unknown
			}
		}
		return queueBatch
	case e.Sweep, e.DetailType == "Scheduled Event" && (e.Source == "aws.scheduler" || e.Source == "aws.events"):
		return schedule
	}
	return unknown
}

// isFIFO reports whether the message comes from a FIFO queue. A standard queue may have message groups too, whose order
// nobody keeps.
func (r *record) isFIFO() bool { return strings.HasSuffix(r.EventSourceARN, ".fifo") }
