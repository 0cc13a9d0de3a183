package identity

import (
	"math"
	"slices"
	"strings"
	"time"

	"order-processing-service/internal/application/access"
)

// claims are what a token says, as JSON is read: texts, float64, lists and so on.
type claims map[string]any

// leeway is how far the clocks of the service and of who made a token may be apart.
const leeway = time.Minute

// expect holds the claims against what a token for this service says now.
func (c claims) expect(issuer, audience string, now time.Time) error {
	if c["iss"] != issuer {
		return refuse(codeInvalid, "the token comes from another issuer than the one that is trusted")
	}
	if audiences, ok := list(c["aud"]); !ok || !slices.Contains(audiences, audience) {
		return refuse(codeInvalid, "the token is for another audience than this service")
	}
	expires, ok := c.date("exp")
	if !ok || expires == nil {
		return refuse(codeInvalid, "the token does not say when it expires; it needs the claim exp, a number of seconds")
	}
	if until(*expires, now) <= -leeway.Seconds() {
		return refuse(codeExpired, "the token has expired; get a new one")
	}
	for _, name := range []string{"nbf", "iat"} {
		begins, ok := c.date(name)
		if !ok {
			return refuse(codeInvalid, "the token's claim "+name+" is no number of seconds")
		}
		if begins != nil && until(*begins, now) > leeway.Seconds() {
			return refuse(codeInvalid, "the token is not valid yet: its claim "+name+" lies in the future; check the clocks")
		}
	}
	return nil
}

// date returns a claim that is a number of seconds since 1970 (RFC 7519, section 2); nil when there is none. It is not ok
// when the claim is something else.
func (c claims) date(name string) (seconds *float64, ok bool) {
	value, has := c[name]
	if !has {
		return nil, true
	}
	number, ok := value.(float64)
	if !ok || math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, false
	}
	return &number, true
}

// until is how many seconds are left until a date. A float64 can't tell the nanoseconds of a date, but can of what is left.
func until(date float64, now time.Time) float64 {
	return date - float64(now.Unix()) - float64(now.Nanosecond())/1e9
}

// scopes reads the claim scope, or scp if there is none: a text of names parted by spaces (RFC 6749, section 3.3), or a list of
// names. Other white space is part of a name.
func (c claims) scopes() (access.Scopes, error) {
	value, has := c["scope"]
	if !has {
		if value, has = c["scp"]; !has {
			return 0, nil
		}
	}
	if text, ok := value.(string); ok {
		// API Gateway's HTTP APIs write a list as the text "[a b]".
		return access.ScopesOf(strings.Split(strings.Trim(text, "[]"), " ")...), nil
	}
	names, ok := list(value)
	if !ok {
		return 0, refuse(codeInvalid, "the token's claim scope or scp is neither text nor a list of texts")
	}
	return access.ScopesOf(names...), nil
}

// list returns a text, or a list of texts, as a list.
func list(value any) (texts []string, ok bool) {
	switch value := value.(type) {
	case string:
		return []string{value}, true
	case []any:
		for _, one := range value {
			text, ok := one.(string)
			if !ok {
				return nil, false
			}
			texts = append(texts, text)
		}
		return texts, true
	default:
		return nil, false
	}
}
