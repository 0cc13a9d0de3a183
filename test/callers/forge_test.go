package callers_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"testing"
	"time"
)

// The tokens here are made with the standard library alone, so that they share no mistake with what checks them.

// key is a key pair of an identity provider.
type key struct {
	id     string
	signer crypto.Signer
}

func newRSA(t *testing.T, id string, bits int) key {
	t.Helper()
	signer, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key{id, signer}
}

func newEC(t *testing.T, id string, curve elliptic.Curve) key {
	t.Helper()
	signer, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key{id, signer}
}

func newEd(t *testing.T, id string) key {
	t.Helper()
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key{id, signer}
}

// jwk is the public key as a JSON Web Key.
func (k key) jwk() map[string]any {
	all := map[string]any{"use": "sig"}
	if k.id != "" {
		all["kid"] = k.id
	}
	switch public := k.signer.Public().(type) {
	case *rsa.PublicKey:
		all["kty"], all["n"], all["e"] = "RSA", b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		half := len(point) / 2
		all["kty"], all["crv"] = "EC", public.Curve.Params().Name
		all["x"], all["y"] = b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		all["kty"], all["crv"], all["x"] = "OKP", "Ed25519", b64(public)
	}
	return all
}

// pem is the public key in PEM.
func (k key) pem(t *testing.T) []byte {
	t.Helper()
	text, err := x509.MarshalPKIXPublicKey(k.signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text})
}

// jwks is a JSON Web Key Set.
func jwks(keys ...map[string]any) []byte { return encoded(map[string]any{"keys": keys}) }

type object = map[string]any

// claims are those of a good token, changed: a nil takes one away.
func claims(changes object) object {
	now := time.Now().Unix()
	all := object{
		"iss": issuer, "aud": audience, "sub": "ana", "scope": "openid orders:admin", "iat": now, "nbf": now, "exp": now + 300,
	}
	return changed(all, changes)
}

// header is that of a good token, changed.
func header(alg, id string, changes object) object {
	return changed(object{"alg": alg, "kid": id, "typ": "at+jwt"}, changes)
}

func changed(all, changes object) object {
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// token is a good token, with changes of its claims.
func (k key) token(alg string, changes object) string {
	return k.sign(alg, encoded(header(alg, k.id, nil)), encoded(claims(changes)))
}

// sign makes a token of any header and claims, with a signature by alg.
func (k key) sign(alg string, header, payload []byte) string {
	signed := b64(header) + "." + b64(payload)
	return signed + "." + b64(k.signature(alg, []byte(signed)))
}

func (k key) signature(alg string, signed []byte) []byte {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	var digest []byte
	if hash != 0 {
		h := hash.New()
		h.Write(signed)
		digest = h.Sum(nil)
	}
	var signature []byte
	var err error
	switch alg[:2] {
	case "RS":
		signature, err = k.signer.Sign(rand.Reader, digest, hash)
	case "PS":
		signature, err = k.signer.Sign(rand.Reader, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash})
	case "Ed":
		signature, err = k.signer.Sign(rand.Reader, signed, crypto.Hash(0))
	case "ES":
		private, _ := k.signer.(*ecdsa.PrivateKey)
		r, s, e := ecdsa.Sign(rand.Reader, private, digest)
		size := (private.Curve.Params().BitSize + 7) / 8
		signature, err = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), e
	}
	if err != nil {
		panic(err)
	}
	return signature
}

// hmacToken is a token signed with a shared secret.
func hmacToken(secret, header, payload []byte) string {
	signed := b64(header) + "." + b64(payload)
	mac := hmac.New(crypto.SHA256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + b64(mac.Sum(nil))
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func encoded(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
