package lambdafn

import (
	"encoding/base64"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
)

// How large the answer to an invocation may be, in bytes of its JSON.
const (
	maxAnswer             = 6 << 20
	maxLoadBalancerAnswer = 1 << 20
)

func limitOf(k kind) int {
	if k == loadBalancer {
		return maxLoadBalancerAnswer
	}
	return maxAnswer
}

// encode writes the answer in the form that the sender of the event takes.
func (a *answer) encode(e *event, k kind) ([]byte, error) {
	body, isBase64 := a.text()
	var out any
	switch k {
	case httpAPI:
		cookies := a.sent["Set-Cookie"]
		a.sent.Del("Set-Cookie")
		out = events.APIGatewayV2HTTPResponse{
			StatusCode: a.status, Headers: joined(a.sent), Cookies: cookies, Body: body, IsBase64Encoded: isBase64,
		}
	case loadBalancer:
		r := events.ALBTargetGroupResponse{
			StatusCode: a.status, StatusDescription: strconv.Itoa(a.status) + " " + http.StatusText(a.status),
			Body: body, IsBase64Encoded: isBase64,
		}
		if e.MultiValueHeaders != nil { // it takes the form that it sends
			r.MultiValueHeaders = a.sent
		} else {
			r.Headers = oneEach(a.sent)
		}
		out = r
	default:
		one, more := parted(a.sent)
		out = events.APIGatewayProxyResponse{
			StatusCode: a.status, Headers: one, MultiValueHeaders: more, Body: body, IsBase64Encoded: isBase64,
		}
	}
	text, err := json.Marshal(out, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("write the answer: %w", err)
	}
	return text, nil
}

// text returns the body as text, in Base64 if it is none.
func (a *answer) text() (text string, isBase64 bool) {
	body := a.body.Bytes()
	encoding := a.sent.Get("Content-Encoding")
	plain := encoding == "" || strings.EqualFold(encoding, "identity")
	if len(body) == 0 || plain && isText(a.sent.Get("Content-Type")) && utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

// isText reports whether a media type is one of text.
func isText(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	family, name, _ := strings.Cut(mediaType, "/")
	if family == "text" || strings.HasSuffix(name, "+json") || strings.HasSuffix(name, "+xml") {
		return true
	}
	return slices.Contains([]string{"application/json", "application/x-ndjson", "application/javascript", "application/xml"}, mediaType)
}

// joined returns a header with the values of each name in one.
func joined(h http.Header) map[string]string {
	one := make(map[string]string, len(h))
	for name, values := range h {
		one[name] = strings.Join(values, ", ")
	}
	return one
}

// parted returns the names that have one value, and those that have more.
func parted(h http.Header) (one map[string]string, more map[string][]string) {
	one, more = make(map[string]string, len(h)), map[string][]string{}
	for name, values := range h {
		if len(values) == 1 {
			one[name] = values[0]
		} else {
			more[name] = values
		}
	}
	return one, more
}

// oneEach returns a header for a load balancer that takes one value a name. Cookies can't be joined: each of them gets a
// name of its own, which differs from the others' in the case of its letters.
func oneEach(h http.Header) map[string]string {
	const name = "Set-Cookie"
	cookies := h[name]
	rest := maps.Clone(h)
	delete(rest, name)
	one := joined(rest)
	for i, cookie := range cookies {
		one[cased(name, i)] = cookie
	}
	return one
}

// cased returns a name whose letters have the cases that the bits of n say: a set bit turns one over.
func cased(name string, n int) string {
	letters := []byte(name)
	for i := range letters {
		isLetter := letters[i]|0x20 >= 'a' && letters[i]|0x20 <= 'z'
		if !isLetter {
			continue
		}
		if n&1 == 1 {
			letters[i] ^= 0x20
		}
		n >>= 1
	}
	return string(letters)
}
