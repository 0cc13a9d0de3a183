package simulated

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// ManifestsConfig says what a bucket of manifests is made of. All fields are needed.
type ManifestsConfig struct {
	// Logger gets the lines, at level INFO.
	Logger *slog.Logger
	// Dir is the folder under which simulated buckets lie, each as a folder of its own. It is made
	// when the first manifest is written.
	Dir string
	// Bucket is the name of the bucket, and of its folder.
	Bucket string
	// Encode makes a manifest.
	Encode EncodeOrder
}

// Manifests is the simulated S3, the subscriber called "manifests". It keeps the newest state of
// each order as the file {id}.json. A reader sees a whole manifest, the old or the new one, and an
// older version never replaces a newer one that this process wrote, or that another one had written
// before. Files are not synced: as a simulation they outlive the process, but not a power cut. It is
// safe for concurrent use.
type Manifests struct {
	c       ManifestsConfig
	bucket  string
	uploads string
	upload  string // of a name of its own, so that processes may share the folder
	// mu is held while manifests are compared and replaced. One at a time is no loss: a file system
	// makes one file at a time in a folder, and those that wait there for their turn burn processor time.
	mu sync.Mutex
}

// NewManifests returns a bucket of manifests.
func NewManifests(c ManifestsConfig) *Manifests {
	m := &Manifests{c: c, bucket: filepath.Join(c.Dir, c.Bucket), uploads: filepath.Join(c.Dir, ".uploads")}
	m.upload = filepath.Join(m.uploads, rand.Text())
	m.sweep(time.Now())
	return m
}

// Name implements delivery.Subscriber.
func (*Manifests) Name() string { return "manifests" }

// Deliver implements delivery.Subscriber: it puts the state of each message's order.
func (m *Manifests) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	results := make([]delivery.Result, len(messages))
	var manifest []byte
	m.mu.Lock() // once for all of them: passing it on costs more than a manifest's own work outside
	defer m.mu.Unlock()
	for i := range messages {
		message := &messages[i]
		if results[i].Err = ctx.Err(); results[i].Err != nil {
			continue
		}
		manifest = append(m.c.Encode(manifest[:0], message.Order), '\n')
		if results[i].Err = m.put(ctx, message.Order, manifest); results[i].Err == nil {
			results[i].Told = len(message.Events)
		}
	}
	return results
}

// put keeps the manifest of an order, unless a newer one is kept already.
func (m *Manifests) put(ctx context.Context, o *order.Order, manifest []byte) error {
	key := o.ID().String() + ".json" // nothing but hexadecimal digits: no id leads out of the folder
	path := filepath.Join(m.bucket, key)
	kept, err := m.keep(path, o.Version(), manifest)
	if errors.Is(err, fs.ErrNotExist) { // nothing was put yet, or somebody removed a folder
		if err = m.makeFolders(); err == nil {
			kept, err = m.keep(path, o.Version(), manifest)
		}
	}
	if err != nil {
		return fmt.Errorf("put manifest: %w", err)
	}
	if kept {
		m.c.Logger.LogAttrs(ctx, slog.LevelInfo, logMessage, slog.Group("aws",
			slog.String("service", "s3"), slog.String("operation", "PutObject"), slog.String("bucket", m.c.Bucket),
			slog.String("key", key), slog.Int("size", len(manifest)), slog.Int("version", o.Version())))
	}
	return nil
}

// keep writes the upload file and gives it the name path, unless a newer version has that. Whoever
// has the old file open goes on reading the old one.
func (m *Manifests) keep(path string, version int, manifest []byte) (bool, error) {
	const private = 0o600 // it holds customers' data
	if err := os.WriteFile(m.upload, manifest, private); err != nil {
		return false, err //nolint:wrapcheck // it names the file
	}
	// Most manifests are the first of their order: nothing needs to be read if the name is free.
	if renameNew(m.upload, path) == nil {
		return true, nil
	}
	kept, err := keptVersion(path)
	if err != nil || kept > version {
		return false, err
	}
	if err := os.Rename(m.upload, path); err != nil {
		return false, err //nolint:wrapcheck // it names both files
	}
	return true, nil
}

func (m *Manifests) makeFolders() error {
	const ownersAndGroups = 0o750
	return errors.Join(os.MkdirAll(m.uploads, ownersAndGroups), os.MkdirAll(m.bucket, ownersAndGroups))
}

// keptVersion returns the version of the manifest that is kept, or 0 if there is none that makes
// sense.
func keptVersion(path string) (int, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err //nolint:wrapcheck // it names the file
	}
	var manifest struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return 0, nil //nolint:nilerr // somebody damaged it; the order is where the truth is
	}
	return manifest.Version, nil
}

// abandonedAfter is the age at which an upload is nobody's any more.
const abandonedAfter = time.Hour

// sweep removes what earlier processes left of their uploads, as far as it can.
func (m *Manifests) sweep(now time.Time) {
	uploads, err := os.ReadDir(m.uploads)
	if err != nil {
		return // there is nothing yet
	}
	for _, upload := range uploads {
		if info, err := upload.Info(); err == nil && now.Sub(info.ModTime()) > abandonedAfter {
			_ = os.Remove(filepath.Join(m.uploads, upload.Name())) // the next start tries again
		}
	}
}
