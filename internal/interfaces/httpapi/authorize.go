package httpapi

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
)

// identify finds out who calls.
func (x *exchange) identify() error {
	caller := access.Anonymous()
	if x.api.Identify != nil {
		var err error
		if caller, err = x.api.Identify(x.r); err != nil {
			return err
		}
		name := caller.Subject
		if x.api.NameSubject != nil {
			name = x.api.NameSubject(name)
		}
		x.ctx = correlation.WithSubject(x.ctx, name)
	}
	x.scopes = caller.Scopes
	x.caller = ordering.Caller{
		Subject: caller.Subject, Customer: caller.Customer, Trace: correlation.TraceOf(x.ctx).Recorded(),
	}
	return nil
}

// allow answers a fault of kind Forbidden unless the caller has the scopes.
func (x *exchange) allow(need access.Scopes) error {
	if x.scopes.Allow(need) {
		return nil
	}
	x.lacking = need
	return fault.New(fault.Forbidden, "scope_missing", "this needs the scope "+need.String()+"; ask for a token that has it")
}

// challenge is the header WWW-Authenticate of an answer to who may not do what was asked (RFC 6750, section 3).
func (x *exchange) challenge(f *fault.Error) string {
	const realm = `Bearer realm="orders"`
	switch {
	case x.lacking != 0:
		return realm + `, error="insufficient_scope", error_description="` + quotable(f.Message) + `", scope="` + x.lacking.String() + `"`
	case f.Kind == fault.Unauthenticated && f.Code != codeTokenMissing:
		return realm + `, error="invalid_token", error_description="` + quotable(f.Message) + `"`
	case f.Kind == fault.Unauthenticated:
		return realm
	default:
		return ""
	}
}

// codeTokenMissing is the fault's code for a request that does not say who calls: the challenge then tells of no error.
const codeTokenMissing = "token_missing"

// quotable leaves out what may not stand in an error_description.
func quotable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, text)
}

// The names of the ways to say who calls, in /openapi.json.
const (
	schemeBearer = "bearerAuth"
	schemeKey    = "apiKey"
)

// securitySchemes describes the ways to say who calls.
func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		schemeBearer: {
			Type: "http", Scheme: "bearer", BearerFormat: "JWT",
			Description: "A token of the identity provider, with the scopes " + strings.Join(access.Names(), ", ") +
				". `orders:admin` includes the others.",
		},
		schemeKey: {
			Type: "apiKey", In: "header", Name: HeaderAPIKey,
			Description: "A key for a machine, which has scopes as a token does.",
		},
	}
}

// HeaderAPIKey is the header of an API key.
const HeaderAPIKey = "X-Api-Key" //nolint:gosec // the name of a header, no key

// security says that an operation needs scopes, from a token or from a key. OpenAPI 3.1 has names of roles for both.
func security(need access.Scopes) []map[string][]string {
	names := strings.Fields(need.String())
	return []map[string][]string{{schemeBearer: names}, {schemeKey: names}}
}
