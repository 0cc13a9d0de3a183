package callers_test

import (
	"crypto/elliptic"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// keyring is the keys of a trusted issuer, and what its tokens are forged with.
type keyring struct {
	rsa, rsaOnly256, p256, p384, p521, ed key
	weak, forEncryption                   key // in the set, and of no use
	stranger                              key // has the id of rsa and is not in the set
	secret                                []byte
	rsaPEM                                []byte
	jwks                                  string // the path of the set
}

func newKeyring(t *testing.T) *keyring {
	t.Helper()
	k := &keyring{
		rsa: newRSA(t, "rsa", 2048), rsaOnly256: newRSA(t, "rsa-256", 2048),
		p256: newEC(t, "p256", elliptic.P256()), p384: newEC(t, "p384", elliptic.P384()), p521: newEC(t, "p521", elliptic.P521()),
		ed: newEd(t, "ed"), weak: newRSA(t, "weak", 1024), forEncryption: newRSA(t, "enc", 2048), stranger: newRSA(t, "rsa", 2048),
		secret: []byte("0123456789abcdef0123456789abcdef"),
	}
	k.rsaPEM = k.rsa.pem(t)
	set := jwks(k.rsa.jwk(), changed(k.rsaOnly256.jwk(), object{"alg": "RS256"}), k.p256.jwk(), k.p384.jwk(), k.p521.jwk(), k.ed.jwk(),
		k.weak.jwk(), changed(k.forEncryption.jwk(), object{"use": "enc"}), object{"kty": "oct", "kid": "shared", "k": b64(k.secret)},
		object{"kty": "quantum", "kid": "new"})
	k.jwks = filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(k.jwks, set, 0o600); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *keyring) start(t *testing.T, settings ...string) *service {
	t.Helper()
	return start(t, append([]string{"AUTH=jwt", "JWT_JWKS_FILE=" + k.jwks, "JWT_ISSUER=" + issuer, "JWT_AUDIENCE=" + audience}, settings...)...)
}

// good is a good token with a changed header.
func (k *keyring) good(changes object) string {
	return k.rsa.sign("RS256", encoded(header("RS256", "rsa", changes)), encoded(claims(nil)))
}

// raw is a token with a good signature over any header and claims.
func (k *keyring) raw(header, payload string) string {
	return k.rsa.sign("RS256", []byte(header), []byte(payload))
}

// bearer is the header of a token.
func bearer(token string) []string { return []string{"Authorization: Bearer " + token} }

func TestGoodTokens(t *testing.T) {
	k := newKeyring(t)
	s := k.start(t)
	now := time.Now().Unix()
	good := map[string][]string{
		"RS256": bearer(k.rsa.token("RS256", nil)), "RS384": bearer(k.rsa.token("RS384", nil)), "RS512": bearer(k.rsa.token("RS512", nil)),
		"PS256": bearer(k.rsa.token("PS256", nil)), "PS384": bearer(k.rsa.token("PS384", nil)), "PS512": bearer(k.rsa.token("PS512", nil)),
		"ES256": bearer(k.p256.token("ES256", nil)), "ES384": bearer(k.p384.token("ES384", nil)), "ES512": bearer(k.p521.token("ES512", nil)),
		"EdDSA": bearer(k.ed.token("EdDSA", nil)), "a key for RS256": bearer(k.rsaOnly256.token("RS256", nil)),
		"no typ": bearer(k.good(object{"typ": nil})), "typ JWT": bearer(k.good(object{"typ": "JWT"})), "typ jwt": bearer(k.good(object{"typ": "jwt"})),
		"typ in full": bearer(k.good(object{"typ": "application/at+jwt"})), "x5t": bearer(k.good(object{"x5t": "abc"})),
		"no kid":                bearer(k.good(object{"kid": nil})),
		"audiences":             bearer(k.rsa.token("RS256", object{"aud": []string{"other", audience}})),
		"expired within leeway": bearer(k.rsa.token("RS256", object{"exp": now - 30})),
		"begins within leeway":  bearer(k.rsa.token("RS256", object{"nbf": now + 30, "iat": now + 30})),
		"a fraction":            bearer(k.rsa.token("RS256", object{"exp": float64(now) + 30.5})),
		"scp":                   bearer(k.rsa.token("RS256", object{"scope": nil, "scp": "orders:read"})),
		"scp list":              bearer(k.rsa.token("RS256", object{"scope": nil, "scp": []string{"a", "orders:read"}})),
		"no nbf and iat":        bearer(k.rsa.token("RS256", object{"nbf": nil, "iat": nil})),
		"lower-case bearer":     {"Authorization: bearer " + k.good(nil)},
		"upper-case bearer":     {"Authorization: BEARER " + k.good(nil)},
		"two spaces":            {"Authorization: Bearer  " + k.good(nil)},
	}
	for name, lines := range good {
		if a := s.send(t, "GET", "/orders", "", lines...); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := s.get(t, k.rsa.token("RS256", object{"scope": "orders:write"})); a.status != http.StatusForbidden || a.code != "scope_missing" ||
		!strings.Contains(a.challenge, `error="insufficient_scope"`) || !strings.Contains(a.challenge, `scope="orders:read"`) {
		t.Errorf("without the scope: %+v", a)
	}
}

// attacks are header lines that no operation may answer but with 401.
func (k *keyring) attacks() map[string][]string {
	now := time.Now().Unix()
	with := func(changes object) []string { return bearer(k.rsa.token("RS256", changes)) }
	head := func(changes object) []string { return bearer(k.good(changes)) }
	good := k.good(nil)
	parts := strings.Split(good, ".")
	payload := encoded(claims(nil))
	text := string(payload)
	unsigned := func(alg string) []string {
		return bearer(b64(encoded(header(alg, "rsa", nil))) + "." + b64(payload) + ".")
	}
	shared := func(secret []byte, id string) []string {
		return bearer(hmacToken(secret, encoded(header("HS256", id, nil)), payload))
	}
	block, _ := pem.Decode(k.rsaPEM)
	ownKey := func(member string, value any) []string {
		return bearer(k.stranger.sign("RS256", encoded(header("RS256", "rsa", object{member: value})), payload))
	}
	resigned := func(k key, id string) []string {
		return bearer(k.sign("RS256", encoded(header("RS256", id, nil)), payload))
	}
	modulus, _ := k.rsa.jwk()["n"].(string)

	all := map[string][]string{
		"nothing": nil, "no token": {"Authorization: Bearer"}, "an empty token": {"Authorization: Bearer "}, "basic": {"Authorization: Basic YTpi"},
		"a token without a scheme": {"Authorization: " + good}, "another scheme": {"Authorization: Token " + good},
		"two headers":           {"Authorization: Bearer " + good, "Authorization: Bearer " + good},
		"two tokens":            {"Authorization: Bearer " + good + ", Bearer " + good},
		"a tab":                 {"Authorization: Bearer\t" + good},
		"a space inside":        {"Authorization: Bearer " + parts[0] + ". " + parts[1] + "." + parts[2]},
		"in a cookie":           {"Cookie: token=" + good},
		"in the query's stead":  {"X-Authorization: Bearer " + good},
		"a key that nobody has": {"X-Api-Key: orders_x"},

		"10,000 characters":        bearer(strings.Repeat("a", 10_000)),
		"a long token, signed":     with(object{"padding": strings.Repeat("a", 8_192)}),
		"a long kid":               head(object{"kid": strings.Repeat("k", 5_000)}),
		"one part":                 bearer(parts[1]),
		"two parts":                bearer(parts[0] + "." + parts[1]),
		"four parts":               bearer(good + "."),
		"an encrypted token":       bearer(b64([]byte(`{"alg":"RSA-OAEP","enc":"A128GCM"}`)) + ".a.a.a.a"),
		"enc and three parts":      head(object{"enc": "A128GCM"}),
		"JSON serialization":       bearer(fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2])),
		"compressed":               head(object{"zip": "DEF"}),
		"nested":                   head(object{"cty": "JWT"}),
		"nested without saying so": bearer(k.raw(string(encoded(header("RS256", "rsa", nil))), good)),
		"padding":                  bearer(good + "=="),
		"not base64url":            bearer(parts[0] + "." + parts[1] + "." + "+/" + parts[2][2:]),
		"bits left over":           bearer(parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-1] + string(parts[2][len(parts[2])-1]+1)),

		"no signature":        bearer(parts[0] + "." + parts[1] + "."),
		"none":                unsigned("none"),
		"None":                unsigned("None"),
		"nOnE with signature": bearer(b64(encoded(header("nOnE", "rsa", nil))) + "." + b64(payload) + "." + parts[2]),
		"empty alg":           unsigned(""),
		"no alg":              head(object{"alg": nil}),
		"alg is a list":       head(object{"alg": []string{"RS256"}}),
		"alg null":            bearer(k.raw(`{"alg":null,"kid":"rsa"}`, text)),
		"alg in lower case":   head(object{"alg": "rs256"}),
		"HS256, the PEM":      shared(k.rsaPEM, "rsa"),
		"HS256, trimmed PEM":  shared([]byte(strings.TrimSpace(string(k.rsaPEM))), "rsa"),
		"HS256, the DER":      shared(block.Bytes, "rsa"),
		"HS256, the modulus":  shared([]byte(modulus), "rsa"),
		"HS256, no secret":    shared(nil, "rsa"),
		"HS256, a shared key": shared(k.secret, "shared"),
		"another alg's name":  bearer(k.rsa.sign("RS256", encoded(header("PS256", "rsa", nil)), payload)),
		"ES256 for RSA":       bearer(k.p256.sign("ES256", encoded(header("ES256", "rsa", nil)), payload)),
		"RS256 for EC":        resigned(k.rsa, "p256"),
		"PS256, key for RS256": bearer(k.rsaOnly256.sign("PS256", encoded(header("PS256", "rsa-256", nil)),
			payload)),
		"ES256 with zeros":     bearer(b64(encoded(header("ES256", "p256", nil))) + "." + b64(payload) + "." + b64(make([]byte, 64))),
		"ES256 as DER":         bearer(b64(encoded(header("ES256", "p256", nil))) + "." + b64(payload) + "." + b64([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})),
		"EdDSA with zeros":     bearer(b64(encoded(header("EdDSA", "ed", nil))) + "." + b64(payload) + "." + b64(make([]byte, 64))),
		"RS256 with zeros":     bearer(parts[0] + "." + parts[1] + "." + b64(make([]byte, 256))),
		"a weak key":           resigned(k.weak, "weak"),
		"a key for encrypting": resigned(k.forEncryption, "enc"),

		"wrong key, right kid": resigned(k.stranger, "rsa"),
		"another key's kid":    resigned(k.rsa, "rsa-256"),
		"wrong key, no kid":    bearer(k.stranger.sign("RS256", encoded(header("RS256", "", object{"kid": nil})), payload)),
		"unknown kid":          head(object{"kid": "who"}),
		"empty kid":            head(object{"kid": ""}),
		"kid is a number":      head(object{"kid": 1}),
		"kid null":             bearer(k.raw(`{"alg":"RS256","kid":null}`, text)),
		"kid is a path":        head(object{"kid": "../../../../dev/null"}),
		"kid is SQL":           head(object{"kid": "rsa' OR '1'='1"}),
		"kid has a NUL":        head(object{"kid": "rsa\x00"}),
		"kid in capitals":      head(object{"kid": "RSA"}),
		"jwk":                  ownKey("jwk", k.stranger.jwk()),
		"jku":                  ownKey("jku", "https://127.0.0.1:1/jwks.json"),
		"x5u":                  ownKey("x5u", "https://127.0.0.1:1/chain.pem"),
		"x5c":                  ownKey("x5c", []string{"MIIB"}),
		"crit":                 head(object{"crit": []string{"exp"}}),
		"empty crit":           head(object{"crit": []string{}}),
		"b64 false":            head(object{"b64": false, "crit": []string{"b64"}}),
		"typ of an id token":   head(object{"typ": "id_token+jwt"}),
		"typ of a logout":      head(object{"typ": "logout+jwt"}),
		"typ empty":            head(object{"typ": ""}),
		"typ null":             bearer(k.raw(`{"alg":"RS256","kid":"rsa","typ":null}`, text)),
		"alg twice":            bearer(k.raw(`{"alg":"RS256","alg":"none","kid":"rsa"}`, text)),
		"kid twice":            bearer(k.raw(`{"alg":"RS256","kid":"who","kid":"rsa"}`, text)),
		"header is a list":     bearer(k.raw(`[]`, text)),
		"header is null":       bearer(k.raw(`null`, text)),
		"header and more":      bearer(k.raw(`{"alg":"RS256","kid":"rsa"}{}`, text)),

		"expired by leeway + 1":   with(object{"exp": now - 61}),
		"expired long ago":        with(object{"exp": 1}),
		"no exp":                  with(object{"exp": nil}),
		"exp is text":             with(object{"exp": strconv.FormatInt(now+300, 10)}),
		"exp null":                bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, strings.Replace(text, `"exp":`, `"exp":null,"was":`, 1))),
		"exp true":                with(object{"exp": true}),
		"exp below zero":          with(object{"exp": -1}),
		"exp endless":             bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, strings.Replace(text, `"exp":`, `"exp":1e999,"was":`, 1))),
		"exp twice":               bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, strings.Replace(text, `"exp":`, `"exp":1,"exp":`, 1))),
		"exp twice, escaped":      bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, strings.Replace(text, `"exp":`, `"\u0065xp":1,"exp":`, 1))),
		"EXP":                     bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, strings.Replace(text, `"exp":`, `"EXP":`, 1))),
		"nbf in the future":       with(object{"nbf": now + 3600}),
		"nbf is text":             with(object{"nbf": "0"}),
		"iat in the future":       with(object{"iat": now + 3600}),
		"iat is text":             with(object{"iat": "0"}),
		"wrong issuer":            with(object{"iss": "https://issuer.example"}),
		"issuer's path":           with(object{"iss": issuer + "tenant"}),
		"no issuer":               with(object{"iss": nil}),
		"issuers":                 with(object{"iss": []string{issuer}}),
		"wrong audience":          with(object{"aud": "orders"}),
		"audience as a part":      with(object{"aud": audience + " other"}),
		"no audience":             with(object{"aud": nil}),
		"empty list of audiences": with(object{"aud": []string{}}),
		"wrong audiences":         with(object{"aud": []string{"a", "b"}}),
		"audiences, one a number": with(object{"aud": []any{audience, 1}}),
		"audience as an object":   with(object{"aud": object{audience: true}}),
		"no subject":              with(object{"sub": nil}),
		"empty subject":           with(object{"sub": ""}),
		"subject is a number":     with(object{"sub": 1}),
		"a long subject":          with(object{"sub": strings.Repeat("a", 257)}),
		"subject with lines":      with(object{"sub": "ana\n{\"level\":\"ERROR\"}"}),
		"subject of a key":        with(object{"sub": "key:shop"}),
		"subject of nobody":       with(object{"sub": "anonymous"}),
		"scope is a number":       with(object{"scope": 7}),
		"scopes, one an object":   with(object{"scope": nil, "scp": []any{"orders:admin", object{}}}),
		"sub twice":               bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, strings.Replace(text, `"sub":`, `"sub":"root","sub":`, 1))),
		"claims are a list":       bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, `[]`)),
		"claims are null":         bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, `null`)),
		"claims and more":         bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, text+text)),
		"claims not UTF-8":        bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, strings.Replace(text, `"ana"`, "\"\xff\"", 1))),
		"deep claims":             bearer(k.raw(`{"alg":"RS256","kid":"rsa"}`, strings.Replace(text, `"sub":`, `"d":`+strings.Repeat("[", 2500)+`,"sub":`, 1))),
		"other claims":            bearer(parts[0] + "." + b64(encoded(claims(object{"sub": "root"}))) + "." + parts[2]),
		"other header":            bearer(b64(encoded(header("RS256", "rsa", object{"typ": "JWT"}))) + "." + parts[1] + "." + parts[2]),
	}
	// Each letter of the signature counts, as does the whole of its length.
	for _, cut := range []int{1, 2, len(parts[2]) - 1} {
		all[fmt.Sprintf("signature cut by %d", cut)] = bearer(good[:len(good)-cut])
	}
	return all
}

// TestAttacks sends every attack to every operation that is described.
func TestAttacks(t *testing.T) {
	k := newKeyring(t)
	s := k.start(t)
	operations := described(t, s)
	attacks := k.attacks()
	if len(operations) < 10 || len(attacks) < 100 {
		t.Fatalf("%d operations and %d attacks are too few", len(operations), len(attacks))
	}
	for name, lines := range attacks {
		for _, op := range operations {
			method, path, _ := strings.Cut(op, " ")
			a := s.send(t, method, path, tea, lines...)
			if a.status != http.StatusUnauthorized || !slices.Contains([]string{"token_missing", "token_invalid", "token_expired"}, a.code) ||
				!strings.HasPrefix(a.challenge, `Bearer realm="orders"`) {
				t.Errorf("%s, %s: %d %s", name, op, a.status, a.body)
				break
			}
		}
	}
	a := s.get(t, k.good(nil))
	var list struct{ Orders []any }
	if err := json.Unmarshal([]byte(a.body), &list); err != nil || a.status != http.StatusOK || len(list.Orders) != 0 {
		t.Errorf("after all that: %d %s", a.status, a.body)
	}
	for _, secret := range []string{strings.Split(k.good(nil), ".")[0], "orders_x", "level\":\"ERROR"} {
		if strings.Contains(s.out.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// described lists the operations that ask who calls, as "POST /orders".
func described(t *testing.T, s *service) []string {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct{ Security []any }
	}
	if err := json.Unmarshal([]byte(s.send(t, "GET", "/openapi.json", "").body), &document); err != nil {
		t.Fatal(err)
	}
	var operations []string
	for path, methods := range document.Paths {
		for method, op := range methods {
			if len(op.Security) > 0 {
				path := strings.NewReplacer("{order_id}", strings.Repeat("a", 24), "{subscriber}", "events").Replace(path)
				operations = append(operations, strings.ToUpper(method)+" "+path)
			}
		}
	}
	return operations
}

// With a key in PEM, whose id nobody knows, the same attacks are tried on one operation.
func TestAttacksOnPEM(t *testing.T) {
	k := newKeyring(t)
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, k.rsaPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "AUTH=jwt", "JWT_PUBLIC_KEY_FILE="+path, "JWT_ISSUER="+issuer, "JWT_AUDIENCE="+audience)
	anyID := []string{"unknown kid", "empty kid", "kid is a path", "kid is SQL", "kid has a NUL", "kid in capitals", "RS256 for EC", "another key's kid", "a long kid"}
	for name, lines := range k.attacks() {
		want := http.StatusUnauthorized
		if slices.Contains(anyID, name) {
			want = http.StatusOK // the only key has signed it
		}
		if a := s.send(t, "GET", "/orders", "", lines...); a.status != want {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}
