package simulated_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/simulated"
)

const bucket = "orders-manifest"

// putObject is a line of the bucket.
type putObject struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	Size      int    `json:"size"`
	Version   int    `json:"version"`
}

func newManifests(j *journal, dir string) *simulated.Manifests {
	return simulated.NewManifests(simulated.ManifestsConfig{Bucket: bucket, Logger: j.logger, Dir: dir, Encode: wire.AppendOrder})
}

// put delivers one message and returns its error.
func put(t testing.TB, s *simulated.Manifests, m delivery.Message) error {
	t.Helper()
	results := s.Deliver(context.Background(), []delivery.Message{m})
	if len(results) != 1 || (results[0].Err == nil) != (results[0].Told == len(m.Events)) {
		t.Fatalf("results = %+v for %d events", results, len(m.Events))
	}
	return results[0].Err
}

func path(dir string, m delivery.Message) string {
	return filepath.Join(dir, bucket, m.Order.ID().String()+".json")
}

// version reads a manifest, which must be whole, and returns its version.
func version(t testing.TB, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return 0
	}
	var manifest wire.Order
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Errorf("manifest %q: %v", text, err)
	}
	return manifest.Version
}

func TestManifest(t *testing.T) {
	j, dir := newJournal(), filepath.Join(t.TempDir(), "data", "s3")
	s := newManifests(j, dir)
	all := versions(t, 2)
	for _, m := range all {
		if err := put(t, s, m); err != nil {
			t.Fatalf("Deliver: %v", err)
		}
		want := string(wire.AppendOrder(nil, m.Order)) + "\n"
		got, err := os.ReadFile(path(dir, m))
		if err != nil || string(got) != want {
			t.Errorf("manifest = %s, %v; want %s", got, err, want)
		}
		line := []putObject{{"s3", "PutObject", bucket, m.Order.ID().String() + ".json", len(want), m.Order.Version()}}
		if diff := cmp.Diff(line, lines[putObject](t, j)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, bucket)); err != nil || len(left) != 1 {
		t.Errorf("in the bucket are %v, %v; want the manifest alone", left, err)
	}
}

// An older version does not replace a newer one, whoever wrote that; the same one may come again.
func TestManifestIsNeverOlder(t *testing.T) {
	j, dir := newJournal(), t.TempDir()
	all := versions(t, 3)
	if err := put(t, newManifests(j, dir), all[1]); err != nil {
		t.Fatalf("Deliver: %v", err)
	}
	s := newManifests(j, dir)
	for _, test := range []struct{ put, want, lines int }{{0, 2, 0}, {1, 2, 1}, {2, 3, 1}, {0, 3, 0}} {
		j.Reset()
		if err := put(t, s, all[test.put]); err != nil {
			t.Fatalf("Deliver: %v", err)
		}
		if got := version(t, path(dir, all[0])); got != test.want {
			t.Errorf("after version %d the manifest has version %d, want %d", test.put+1, got, test.want)
		}
		if calls := lines[putObject](t, j); len(calls) != test.lines {
			t.Errorf("version %d made %d calls, want %d", test.put+1, len(calls), test.lines)
		}
	}
}

// However deliveries of one order cross, readers see whole manifests whose version only grows.
func TestManifestUnderConcurrency(t *testing.T) {
	const count = 200
	j, dir := newJournal(), t.TempDir()
	s := newManifests(j, dir)
	all := versions(t, count)
	if err := put(t, s, all[0]); err != nil {
		t.Fatalf("Deliver: %v", err)
	}
	var writers, readers sync.WaitGroup
	var done atomic.Bool
	for range 2 {
		readers.Go(func() {
			for last := 1; !done.Load(); {
				now := version(t, path(dir, all[0]))
				if now < last {
					t.Errorf("version %d after %d", now, last)
				}
				last = now
			}
		})
	}
	for range 4 {
		mine := rand.Perm(count) //nolint:gosec // any order will do
		writers.Go(func() {
			for _, i := range mine {
				if err := put(t, s, all[i]); err != nil {
					t.Errorf("Deliver: %v", err)
				}
			}
		})
	}
	writers.Wait()
	done.Store(true)
	readers.Wait()
	if got := version(t, path(dir, all[0])); got != count {
		t.Errorf("in the end the manifest has version %d, want %d", got, count)
	}
}

// A manifest that can't be written is an error of its own order, and written when it is tried again.
func TestManifestFailures(t *testing.T) {
	j := newJournal()
	first, second := newMessage(t, 1), newMessage(t, 2)

	blocked := filepath.Join(t.TempDir(), "s3")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newManifests(j, blocked)
	if err := put(t, s, first); err == nil {
		t.Error("a file in the folder's place gives no error")
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, first); err != nil {
		t.Errorf("with the file gone: %v", err)
	}

	if err := os.MkdirAll(path(blocked, second), 0o750); err != nil {
		t.Fatal(err)
	}
	results := s.Deliver(t.Context(), []delivery.Message{second, first})
	if results[0].Err == nil || results[0].Told != 0 || results[1].Err != nil || results[1].Told != 1 {
		t.Errorf("results = %+v, want the first to fail alone", results)
	}

	if err := os.RemoveAll(filepath.Join(blocked, bucket)); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, second); err != nil {
		t.Errorf("with the bucket's folder gone: %v", err)
	}

	if err := os.WriteFile(path(blocked, second), []byte(`{"version": 9`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, second); err != nil || version(t, path(blocked, second)) != 1 {
		t.Errorf("over a damaged manifest: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if results := s.Deliver(ctx, []delivery.Message{first}); !errors.Is(results[0].Err, context.Canceled) || results[0].Told != 0 {
		t.Errorf("results without time = %+v", results)
	}
}

// A manifest that is shorter than the one before it has nothing of that one behind it.
func TestManifestThatShrinks(t *testing.T) {
	dir := t.TempDir()
	encode := func(dst []byte, o *order.Order) []byte {
		dst = fmt.Appendf(dst, `{"version":%d,"padding":"`, o.Version())
		return append(append(dst, make([]byte, 100/o.Version())...), `"}`...)
	}
	s := simulated.NewManifests(simulated.ManifestsConfig{Bucket: bucket, Logger: newJournal().logger, Dir: dir, Encode: encode})
	for _, m := range versions(t, 4) {
		if err := put(t, s, m); err != nil {
			t.Fatalf("Deliver: %v", err)
		}
		want := string(encode(nil, m.Order)) + "\n"
		if got, err := os.ReadFile(path(dir, m)); err != nil || string(got) != want {
			t.Errorf("manifest = %q, %v; want %q", got, err, want)
		}
	}
}

// Who has opened a manifest reads that one to its end, whatever is put meanwhile.
func TestManifestThatIsBeingRead(t *testing.T) {
	dir := t.TempDir()
	s := newManifests(newJournal(), dir)
	all := versions(t, 4)
	if err := put(t, s, all[0]); err != nil {
		t.Fatalf("Deliver: %v", err)
	}
	f, err := os.Open(path(dir, all[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, m := range all[1:] {
		if err := put(t, s, m); err != nil {
			if runtime.GOOS == "windows" { // there an open file keeps its place, and the put is tried again
				return
			}
			t.Fatalf("Deliver: %v", err)
		}
	}
	want := string(wire.AppendOrder(nil, all[0].Order)) + "\n"
	if got, err := io.ReadAll(f); err != nil || string(got) != want {
		t.Errorf("read %s, %v; want %s", got, err, want)
	}
}

// What a crash leaves of an upload is removed by a later start, but not what another process is at.
func TestUploadsAreSwept(t *testing.T) {
	dir := t.TempDir()
	uploads := filepath.Join(dir, ".uploads")
	if err := os.MkdirAll(uploads, 0o750); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(uploads, "old-1"), filepath.Join(uploads, "young-1")
	for _, name := range []string{old, young} {
		if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	newManifests(newJournal(), dir)
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old upload: %v, want it gone", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young upload: %v, want it there", err)
	}
}
