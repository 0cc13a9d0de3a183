package identity

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v3/jws/jwsbb"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/domain/fault"
)

// MaxToken is the longest token that is read, in bytes.
const MaxToken = 8 << 10

// TokensConfig says which tokens are good. All fields but CustomerClaim are needed.
type TokensConfig struct {
	// Issuer and Audience are what the claims iss and aud must say.
	Issuer, Audience string
	// CustomerClaim names the claim with the customer that a caller is kept to; "" for none.
	CustomerClaim string
	// Now is the clock.
	Now func() time.Time
}

// Tokens checks signed tokens (JWT, RFC 7519; RFC 9068 for access tokens). The key decides which algorithms are good, never
// the token; keys and addresses of keys in a token's header are refused. It is safe for concurrent use.
type Tokens struct {
	TokensConfig

	keys keySource
}

// NewTokens returns what checks tokens with the keys of a file or of an identity provider.
func NewTokens(c TokensConfig, keys KeySource) *Tokens { return &Tokens{c, keys.source} }

// Identify returns who a token says that its bearer is. The token may wait for a look at the identity provider's keys until
// ctx ends.
func (t *Tokens) Identify(ctx context.Context, token string) (access.Caller, error) {
	read, err := parse(token)
	if err != nil {
		return access.Caller{}, err
	}
	if err := t.verify(ctx, read); err != nil {
		return access.Caller{}, err
	}
	if err := read.claims.expect(t.Issuer, t.Audience, t.Now()); err != nil {
		return access.Caller{}, err
	}
	return callerOf(read.claims, t.CustomerClaim)
}

func (t *Tokens) close() { t.keys.close() }

// verify checks the signature.
func (t *Tokens) verify(ctx context.Context, read *parsed) error {
	set := t.keys.current(ctx)
	candidates, known := set.fitting(read)
	// Only a token that would be good otherwise is worth a look at the provider's keys.
	if !known && read.claims.expect(t.Issuer, t.Audience, t.Now()) == nil {
		set = t.keys.renewed(ctx)
		candidates, known = set.fitting(read)
	}
	switch {
	case set == nil:
		f := fault.New(fault.Unavailable, "keys_unavailable", "the keys that tokens are checked with can't be had now; try again")
		f.RetryAfter = retryKeys
		return f
	case !known:
		return refuse(codeInvalid, "the token is signed with a key that is not known")
	case len(candidates) == 0:
		return refuse(codeInvalid, "the token's algorithm is not one that its key is for")
	}
	for _, key := range candidates {
		if jwsbb.Verify(key.public, read.algorithm, read.signed, read.signature) == nil {
			return nil
		}
	}
	return refuse(codeInvalid, "the token's signature is wrong")
}

// retryKeys is when a caller may come again while there are no keys.
const retryKeys = 5 * time.Second

// parsed is a token that has been read, and in which nothing is believed yet.
type parsed struct {
	algorithm string
	keyID     string
	hasKeyID  bool
	claims    claims
	signed    []byte // what the signature is of
	signature []byte
}

// parse takes a token in its compact form (RFC 7515, section 3.1) apart.
func parse(token string) (*parsed, error) {
	if token == "" || len(token) > MaxToken {
		return nil, refuse(codeInvalid, "the token is empty or longer than 8192 bytes")
	}
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return nil, refuse(codeInvalid, "the token does not have the three parts of a signed token; encrypted tokens are not taken")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		// The decoder passes over line breaks.
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return nil, refuse(codeInvalid, "the token is not in the form base64url")
		}
	}
	p := &parsed{signed: []byte(token[:len(token)-len(parts[2])-1]), signature: decoded[2]}
	if len(p.signature) == 0 {
		return nil, refuse(codeInvalid, "the token is not signed")
	}
	if err := p.readHeader(decoded[0]); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(decoded[1], &p.claims); err != nil || p.claims == nil {
		return nil, refuse(codeInvalid, "the token's claims are no JSON object, or a name stands there twice")
	}
	return p, nil
}

// readHeader takes the token's header, in which every member that would have the token read in another way is refused.
func (p *parsed) readHeader(text []byte) error {
	var header map[string]jsontext.Value
	if err := json.Unmarshal(text, &header); err != nil || header == nil {
		return refuse(codeInvalid, "the token's header is no JSON object, or a name stands there twice")
	}
	for _, name := range []string{"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"} {
		if _, has := header[name]; has {
			return refuse(codeInvalid, "the token's header has "+name+", which is not taken")
		}
	}
	var texts [4]string
	for i, name := range []string{"alg", "kid", "typ", "cty"} {
		value, has := header[name]
		if !has {
			continue
		}
		if value.Kind() != '"' || json.Unmarshal(value, &texts[i]) != nil {
			return refuse(codeInvalid, "the token's header has a "+name+" that is no text")
		}
	}
	_, p.hasKeyID = header["kid"]
	p.algorithm, p.keyID = texts[0], texts[1]
	_, typed := header["typ"]
	switch kind := strings.TrimPrefix(strings.ToLower(texts[2]), "application/"); {
	case typed && kind != "jwt" && kind != "at+jwt":
		return refuse(codeInvalid, "the token's typ is neither JWT nor at+jwt, so it is no access token")
	case texts[3] != "":
		return refuse(codeInvalid, "the token's header has cty, which is not taken: nested tokens are not")
	}
	return nil
}
