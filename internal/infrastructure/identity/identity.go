// Package identity finds out who calls: from a signed token (JWT), from what API Gateway's authorizer found out, or from an
// API key.
//
// Everything that a caller sends is refused unless it is known to be right. What the caller is told says which rule was
// broken, and nothing of the service's keys.
package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/domain/fault"
)

// HeaderAPIKey is the header of an API key, in the form in which net/http keeps it.
const HeaderAPIKey = "X-Api-Key" //nolint:gosec // the name of a header, no key

// Callers finds out who makes a request, by the ways that are not nil. It is safe for concurrent use.
type Callers struct {
	// Tokens checks bearer tokens. With Gateway it is not asked.
	Tokens *Tokens
	// Gateway takes the word of API Gateway's authorizer. It must be nil wherever somebody else can put claims into a
	// request's context.
	Gateway *Gateway
	// Keys knows machines by their keys.
	Keys *Keys
}

// Identify returns who makes the request. Its error is a fault of kind Unauthenticated, with the code token_missing when the
// request does not say; of kind Forbidden for a caller who may do nothing here; or Unavailable when that can't be told now.
func (c *Callers) Identify(r *http.Request) (access.Caller, error) {
	authorization, keys := r.Header["Authorization"], r.Header[HeaderAPIKey]
	claims, told := access.Claims(r.Context())
	switch {
	case c.Keys != nil && len(keys) > 0:
		if len(keys) > 1 || len(authorization) > 0 || c.Gateway != nil && told {
			return access.Caller{}, refuse(codeInvalid, "the request says more than once who calls; send one token or one key")
		}
		return c.Keys.Identify(r.Context(), keys[0])
	case c.Gateway != nil && told:
		return c.Gateway.identify(claims)
	case c.Tokens != nil && c.Gateway == nil && len(authorization) > 0:
		if len(authorization) > 1 {
			return access.Caller{}, refuse(codeInvalid, "the request has more than one Authorization header; send one")
		}
		token, ok := bearer(authorization[0])
		if !ok {
			return access.Caller{}, c.missing()
		}
		return c.Tokens.Identify(r.Context(), token)
	default:
		return access.Caller{}, c.missing()
	}
}

// Close ends what goes on in the background.
func (c *Callers) Close() {
	if c.Tokens != nil {
		c.Tokens.close()
	}
}

// missing is the fault of a request that does not say who calls.
func (c *Callers) missing() error {
	var ways []string
	if c.Tokens != nil {
		ways = append(ways, "a token in the header Authorization: Bearer")
	}
	if c.Gateway != nil {
		ways = append(ways, "what API Gateway's authorizer asks for")
	}
	if c.Keys != nil {
		ways = append(ways, "a key in the header "+HeaderAPIKey)
	}
	return refuse("token_missing", "the request does not say who calls; send "+strings.Join(ways, ", or "))
}

// bearer returns the token in the value of an Authorization header. The scheme's case does not matter (RFC 9110, section
// 11.1); no more than spaces may part it from the token.
func bearer(value string) (string, bool) {
	scheme, token, ok := strings.Cut(value, " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return "", false
	}
	return strings.TrimLeft(token, " "), true
}

// Codes of faults.
const (
	codeInvalid = "token_invalid"
	codeExpired = "token_expired"
)

// refuse is the fault of a caller who is not believed.
func refuse(code, message string) *fault.Error {
	return fault.New(fault.Unauthenticated, code, message)
}

// keyPrefix begins the subject of a caller with an API key, so that no token is taken for one.
const keyPrefix = "key:"

// maxSubject and maxCustomer bound a caller's subject and customer, in bytes.
const (
	maxSubject  = 256
	maxCustomer = 256
)

// callerOf is the caller that claims describe, whoever vouches for them. With a customer claim, who is no admin is kept to
// the customer named there, and refused if there is none.
func callerOf(c claims, customerClaim string) (access.Caller, error) {
	subject, ok := c["sub"].(string)
	switch {
	case !ok || subject == "":
		return access.Caller{}, refuse(codeInvalid, "the token does not say whose it is; it needs the claim sub")
	case len(subject) > maxSubject || !printable(subject):
		return access.Caller{}, refuse(codeInvalid, "the token's claim sub is longer than 256 bytes or has characters that can't be shown")
	case strings.HasPrefix(subject, keyPrefix) || subject == access.AnonymousSubject:
		return access.Caller{}, refuse(codeInvalid, "the token's claim sub is a name that the service keeps to itself")
	}
	scopes, err := c.scopes()
	if err != nil {
		return access.Caller{}, err
	}
	caller := access.Caller{Subject: subject, Scopes: scopes}
	if customerClaim == "" || scopes.Allow(access.Admin) {
		return caller, nil
	}
	caller.Customer, ok = c[customerClaim].(string)
	if !ok || caller.Customer == "" || len(caller.Customer) > maxCustomer || !printable(caller.Customer) {
		return access.Caller{}, fault.New(fault.Forbidden, "customer_missing",
			"the token names no customer in the claim "+customerClaim+", which who is no admin needs here")
	}
	return caller, nil
}

// printable reports whether text has no control characters, so that it can stand in a log line.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || 0x7f <= c && c <= 0x9f })
}

// HashSubject is what log lines say of a subject that is not to be read there: the first 16 hexadecimal digits of its
// SHA-256. The lines of one caller can still be found, also by who guesses the subject.
func HashSubject(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return hex.EncodeToString(sum[:8])
}

// Gateway believes what API Gateway's authorizer found out, as access.Claims has it. API Gateway has checked the token.
type Gateway struct {
	// CustomerClaim names the claim with the customer that a caller is kept to; "" for none.
	CustomerClaim string
}

func (g *Gateway) identify(all map[string]any) (access.Caller, error) {
	return callerOf(claims(all), g.CustomerClaim)
}

// keySource has the keys that tokens are checked with.
type keySource interface {
	// current returns the keys that are known; nil if there never were any.
	current(ctx context.Context) *keySet
	// renewed returns them again after a look for newer ones, if it is time for one.
	renewed(ctx context.Context) *keySet
	// close ends what goes on in the background.
	close()
}
