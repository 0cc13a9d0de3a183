package bootstrap

import "testing"

func TestConnectionsFitOpenFiles(t *testing.T) {
	for _, tt := range []struct {
		asked int
		files uint64
		want  int
	}{
		{10_000, 0, 10_000},
		{10_000, 1 << 20, 10_000},
		{10_000, 10_512, 10_000},
		{10_000, 4096, 3584},
		{10_000, 1024, 512},
		{10_000, 256, 128},
		{100, 256, 100},
		{10_000, 1 << 63, 10_000},
		{1, 1, 1},
	} {
		if got := connectionsWithin(tt.asked, tt.files); got != tt.want {
			t.Errorf("%d connections and %d files: %d, want %d", tt.asked, tt.files, got, tt.want)
		}
	}
}
