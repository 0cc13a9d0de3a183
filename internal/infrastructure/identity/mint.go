package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/lestrrat-go/jwx/v3/jws/jwsbb"

	"order-processing-service/internal/application/access"
)

// The issuer and the audience of development tokens, where the settings name no others.
const (
	DevIssuer   = "orders-dev"
	DevAudience = "orders"
)

// Files of the development key, in the data folder.
const (
	devPrivateFile = "dev-token.key.pem"
	devPublicFile  = "dev-token.pub.pem"
)

// DevToken says what a development token is to say.
type DevToken struct {
	Issuer, Audience string
	Subject          string
	Scopes           access.Scopes
	// Customer stands in the claim CustomerClaim; "" for none.
	Customer, CustomerClaim string
	// Issued is now, and Lifetime how long the token is good from then.
	Issued   time.Time
	Lifetime time.Duration
}

// DevKey is a key for tokens on a developer's own machine.
type DevKey struct {
	private ed25519.PrivateKey
	// PublicFile is the PEM file for JWT_PUBLIC_KEY_FILE.
	PublicFile string
}

// OpenDevKey reads the key in a folder, or makes it. Only the user can read it.
func OpenDevKey(dir string) (*DevKey, error) {
	path := filepath.Join(dir, devPrivateFile)
	private, err := readDevKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		private, err = makeDevKey(dir, path)
	}
	if err != nil {
		return nil, err
	}
	k := &DevKey{private, filepath.Join(dir, devPublicFile)}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", k.PublicFile, err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	if have, err := os.ReadFile(k.PublicFile); err == nil && bytes.Equal(have, text) {
		return k, nil
	}
	if err := os.WriteFile(k.PublicFile, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the public key: %w", err)
	}
	return k, nil
}

func readDevKey(path string) (ed25519.PrivateKey, error) {
	text, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block != nil {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if private, ok := key.(ed25519.PrivateKey); ok {
				return private, nil
			}
		}
	}
	return nil, fmt.Errorf("%s is no Ed25519 key in PEM form; move it away, and a new one is made", path)
}

// makeDevKey makes the key. When two programs do so at once, one key stays for both.
func makeDevKey(dir, path string) (ed25519.PrivateKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	file, err := os.CreateTemp(dir, devPrivateFile+".*") // readable for the user alone
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // the link below is what counts
	_, err = file.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	if err := os.Link(file.Name(), path); errors.Is(err, fs.ErrExist) {
		return readDevKey(path)
	} else if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	return private, nil
}

// Mint makes a token.
func (k *DevKey) Mint(t DevToken) (string, error) {
	all := map[string]any{
		"iss": t.Issuer, "aud": t.Audience, "sub": t.Subject, "scope": t.Scopes.String(),
		"iat": t.Issued.Unix(), "exp": t.Issued.Add(t.Lifetime).Unix(), "jti": rand.Text(),
	}
	if t.Customer != "" {
		all[t.CustomerClaim] = t.Customer
	}
	payload, err := json.Marshal(all, json.Deterministic(true))
	if err != nil {
		return "", fmt.Errorf("make the token: %w", err)
	}
	var token strings.Builder
	token.WriteString(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","typ":"at+jwt"}`)))
	token.WriteByte('.')
	token.WriteString(base64.RawURLEncoding.EncodeToString(payload))
	signature, err := jwsbb.Sign(k.private, "EdDSA", []byte(token.String()), nil)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return token.String() + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
