package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/access"
)

const (
	maxAPIKeys = 1000 // in a file: each request is compared with all of them
	maxAPIKey  = 256  // bytes of a key
	apiKeyName = "orders_"
)

// Keys knows machines by their keys. It is safe for concurrent use.
type Keys struct{ file *reloaded[keyFile] }

// NewKeys reads the keys of a file, named by the setting API_KEYS_FILE; it is read again when it changes.
func NewKeys(path string, log *slog.Logger, now func() time.Time) (*Keys, error) {
	file, err := newReloaded(path, "API_KEYS_FILE", parseKeyFile, log, now)
	if err != nil {
		return nil, err
	}
	return &Keys{file}, nil
}

// KeyEntry is one key in a file of keys. The key itself is not in it.
type KeyEntry struct {
	Name     string   `json:"name"`
	Scopes   []string `json:"scopes"`
	Customer string   `json:"customer,omitempty"`
	SHA256   string   `json:"sha256"`
}

// NewKey makes a key of 260 random bits, and the entry that lets its bearer in. The error says what is wrong with the
// entry that was asked for.
func NewKey(name string, scopes []string, customer string) (key string, entry KeyEntry, err error) {
	key = apiKeyName + rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(key))
	entry = KeyEntry{Name: name, Scopes: scopes, Customer: customer, SHA256: hex.EncodeToString(sum[:])}
	_, err = entry.known()
	return key, entry, err
}

// keyFile is what a file of keys says.
type keyFile struct{ keys []knownKey }

type knownKey struct {
	hash   [sha256.Size]byte
	caller access.Caller
}

var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// known checks an entry.
func (e KeyEntry) known() (k knownKey, err error) {
	if !keyName.MatchString(e.Name) {
		return k, fmt.Errorf("the name %.80q is not 1 to 64 letters, digits, dots, hyphens or underscores", e.Name)
	}
	if len(e.Scopes) == 0 {
		return k, fmt.Errorf("%s has no scopes; give some of %s", e.Name, strings.Join(access.Names(), ", "))
	}
	for _, scope := range e.Scopes {
		if !slices.Contains(access.Names(), scope) {
			return k, fmt.Errorf("%s has the scope %.80q, which there is not; give some of %s", e.Name, scope, strings.Join(access.Names(), ", "))
		}
	}
	hash, err := hex.DecodeString(e.SHA256)
	if err != nil || len(hash) != sha256.Size {
		return k, fmt.Errorf("%s has an sha256 that is not 64 hexadecimal digits", e.Name)
	}
	if len(e.Customer) > maxCustomer || !printable(e.Customer) {
		return k, fmt.Errorf("%s has a customer longer than %d bytes, or with characters that can't be shown", e.Name, maxCustomer)
	}
	k.hash = [sha256.Size]byte(hash)
	k.caller = access.Caller{Subject: keyPrefix + e.Name, Scopes: access.ScopesOf(e.Scopes...), Customer: e.Customer}
	if e.Customer != "" && k.caller.Scopes.Allow(access.Admin) {
		return k, fmt.Errorf("%s has a customer and the scope orders:admin, which is for all customers; leave one out", e.Name)
	}
	return k, nil
}

// parseKeyFile reads a JSON list of entries. Names and keys are each there once.
func parseKeyFile(text []byte) (*keyFile, error) {
	var entries []KeyEntry
	if err := json.Unmarshal(text, &entries, json.RejectUnknownMembers(true)); err != nil || entries == nil {
		return nil, errors.New(`it is no list of keys like [{"name":"shop","scopes":["orders:write"],"sha256":"…"}]; ` +
			"'orders keys new' prints an entry")
	}
	if len(entries) > maxAPIKeys {
		return nil, fmt.Errorf("it has %d keys; at most %d are taken", len(entries), maxAPIKeys)
	}
	f := new(keyFile)
	names, hashes := make(map[string]bool), make(map[[sha256.Size]byte]bool)
	for _, entry := range entries {
		k, err := entry.known()
		if err != nil {
			return nil, err
		}
		if names[entry.Name] || hashes[k.hash] {
			return nil, fmt.Errorf("the name or the key of %s is there twice", entry.Name)
		}
		names[entry.Name], hashes[k.hash] = true, true
		f.keys = append(f.keys, k)
	}
	return f, nil
}

// Identify returns who has a key. How long it takes does not depend on which key it is.
func (k *Keys) Identify(ctx context.Context, key string) (access.Caller, error) {
	if key == "" || len(key) > maxAPIKey {
		return access.Caller{}, refuse("key_invalid", "the API key is empty or longer than 256 bytes")
	}
	hash := sha256.Sum256([]byte(key))
	var found *access.Caller
	all := k.file.get(ctx).keys
	for i := range all {
		if subtle.ConstantTimeCompare(hash[:], all[i].hash[:]) == 1 {
			found = &all[i].caller
		}
	}
	if found == nil {
		return access.Caller{}, refuse("key_invalid", "the API key is not known")
	}
	return *found, nil
}
