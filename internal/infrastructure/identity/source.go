package identity

import (
	"context"
	"log/slog"
	"time"
)

// KeySource has the keys that tokens are checked with.
type KeySource struct{ source keySource }

// FileKeys are the keys of a JSON Web Key Set in a file, named by the setting JWT_JWKS_FILE. The file is read again when it
// changes.
func FileKeys(path string, log *slog.Logger, now func() time.Time) (KeySource, error) {
	return fileKeys(path, "JWT_JWKS_FILE", parseJWKS, log, now)
}

// PEMKeys are the public keys of a PEM file, named by the setting JWT_PUBLIC_KEY_FILE. They have no ids: every token is
// tried with each. The file is read again when it changes.
func PEMKeys(path string, log *slog.Logger, now func() time.Time) (KeySource, error) {
	return fileKeys(path, "JWT_PUBLIC_KEY_FILE", parsePEM, log, now)
}

func fileKeys(path, setting string, parse func([]byte) (*keySet, error), log *slog.Logger, now func() time.Time) (KeySource, error) {
	file, err := newReloaded(path, setting, parse, log, now)
	if err != nil {
		return KeySource{}, err
	}
	return KeySource{inFile{file}}, nil
}

// inFile is a keySource of a file.
type inFile struct{ file *reloaded[keySet] }

func (f inFile) current(ctx context.Context) *keySet { return f.file.get(ctx) }
func (f inFile) renewed(ctx context.Context) *keySet { return f.file.get(ctx) }
func (inFile) close()                                {}
