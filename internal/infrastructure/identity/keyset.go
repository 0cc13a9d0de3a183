package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// Bounds of keys.
const (
	minRSA  = 2048
	maxRSA  = 8192 // larger ones cost much to check with
	maxKeys = 100  // in one set
	maxTry  = 8    // keys that a token without a key id is tried with
	maxFile = 1 << 20
)

// keySet is the keys that tokens are checked with. It is not changed once it is made.
type keySet struct {
	keys    []publicKey
	unnamed bool // the keys have no ids, whatever a token says
}

// publicKey is one key.
type publicKey struct {
	id         string
	public     any
	algorithms []string // what it is good for
}

// fitting returns the keys that may have signed the token. It is known when there are keys of its id, if only for other
// algorithms.
func (s *keySet) fitting(p *parsed) (candidates []publicKey, known bool) {
	if s == nil {
		return nil, false
	}
	for _, key := range s.keys {
		if p.hasKeyID && !s.unnamed && key.id != p.keyID {
			continue
		}
		known = true
		if slices.Contains(key.algorithms, p.algorithm) && len(candidates) < maxTry {
			candidates = append(candidates, key)
		}
	}
	return candidates, known
}

// algorithmsOf returns what a public key is good for (RFC 7518, section 3; RFC 8037; RFC 9864), and an error for a key
// that is too weak or of no use.
func algorithmsOf(public any) ([]string, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return nil, fmt.Errorf("it is an RSA key of %d bits; use one of %d to %d", bits, minRSA, maxRSA)
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, nil
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return []string{"ES256"}, nil
		case elliptic.P384():
			return []string{"ES384"}, nil
		case elliptic.P521():
			return []string{"ES512"}, nil
		}
	case ed25519.PublicKey:
		return []string{"EdDSA", "Ed25519"}, nil
	}
	return nil, errors.New("it is no RSA key, no EC key on P-256, P-384 or P-521, and no Ed25519 key")
}

// parsePEM reads public keys in PEM. A private key is refused, as it has no business here.
func parsePEM(text []byte) (*keySet, error) {
	set := &keySet{unnamed: true}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		public, err := publicOf(block)
		if err != nil {
			return nil, err
		}
		algorithms, err := algorithmsOf(public)
		if err != nil {
			return nil, fmt.Errorf("a key in it can't be used: %w", err)
		}
		set.keys = append(set.keys, publicKey{public: public, algorithms: algorithms})
	}
	if len(set.keys) == 0 || len(set.keys) > maxTry {
		return nil, fmt.Errorf("it has %d public keys in PEM form; give 1 to %d", len(set.keys), maxTry)
	}
	return set, nil
}

func publicOf(block *pem.Block) (public any, err error) {
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = certificate.PublicKey
		}
	default:
		return nil, fmt.Errorf("it has a %q; give the public key alone, as 'openssl pkey -pubout' writes it", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("a key in it can't be read: %w", err)
	}
	return public, nil
}

// parseJWKS reads a JSON Web Key Set (RFC 7517). Keys that are no public keys for signatures are passed over; one at least
// must be left.
func parseJWKS(text []byte) (*keySet, error) {
	var document struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, errors.New(`it is no JSON Web Key Set, which looks like {"keys":[…]}`)
	}
	if len(document.Keys) > maxKeys {
		return nil, fmt.Errorf("it has %d keys; at most %d are taken", len(document.Keys), maxKeys)
	}
	set := new(keySet)
	reason := errors.New("it is empty")
	for _, text := range document.Keys {
		key, err := parseJWK(text)
		if err != nil {
			reason = err
			continue
		}
		set.keys = append(set.keys, key)
	}
	if len(set.keys) == 0 {
		return nil, fmt.Errorf("it has no key that signatures can be checked with; the last one: %w", reason)
	}
	return set, nil
}

func parseJWK(text []byte) (publicKey, error) {
	key, err := jwk.ParseKey(text)
	if err != nil {
		return publicKey{}, errors.New("it can't be read")
	}
	if private, err := jwk.IsPrivateKey(key); err != nil || private {
		return publicKey{}, errors.New("it is private or shared; only public keys are taken")
	}
	if use, has := key.KeyUsage(); has && use != "sig" {
		return publicKey{}, fmt.Errorf("it is for another use: %q", use)
	}
	if operations, has := key.KeyOps(); has && !slices.Contains(operations, jwk.KeyOpVerify) {
		return publicKey{}, errors.New("its key_ops lack verify")
	}
	var public any
	if err := jwk.Export(key, &public); err != nil {
		return publicKey{}, errors.New("it is damaged")
	}
	algorithms, err := algorithmsOf(pointed(public))
	if err != nil {
		return publicKey{}, err
	}
	if algorithm, has := key.Algorithm(); has {
		if !slices.Contains(algorithms, algorithm.String()) {
			return publicKey{}, fmt.Errorf("its alg is %q, which is not one for it", algorithm.String())
		}
		algorithms = []string{algorithm.String()}
	}
	id, _ := key.KeyID()
	return publicKey{id: id, public: pointed(public), algorithms: algorithms}, nil
}

// pointed returns a key in the form in which the standard library has it.
func pointed(key any) any {
	switch key := key.(type) {
	case rsa.PublicKey:
		return &key
	case ecdsa.PublicKey:
		return &key
	default:
		return key
	}
}
