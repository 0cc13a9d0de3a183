package bootstrap_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"order-processing-service/internal/infrastructure/store/sqlite"
	"order-processing-service/internal/interfaces/cli"
)

// TestCopyRefuses asks for copies that can't be. Each is answered in one line without a password, and leaves nothing behind.
func TestCopyRefuses(t *testing.T) {
	const readable = "can't be read: give a connection string such as mongodb://user:password@host:27017/orders_db"
	// Nobody listens on port 1.
	quick := map[string]string{"MONGO_TIMEOUT": "200ms", "MONGO_URI": "mongodb://root:hunter2@127.0.0.1:1/db"}
	tests := map[string]struct {
		environ  map[string]string
		from, to string
		code     int
		want     string
	}{
		"no file":              {nil, "sqlite:none.db", "sqlite:b.db", cli.ExitUsage, "there is no store sqlite:none.db to copy from: check the path"},
		"no file in a folder":  {nil, "sqlite:folder", "sqlite:b.db", cli.ExitUsage, "there is no store sqlite:folder/orders.db to copy from"},
		"no embedded store":    {nil, "sqlite:", "sqlite:b.db", cli.ExitUsage, "there is no store sqlite:data/orders.db to copy from"},
		"an empty file":        {nil, "sqlite:empty", "sqlite:b.db", cli.ExitUsage, "there is no store sqlite:empty to copy from"},
		"no database":          {nil, "sqlite:.env", "sqlite:b.db", cli.ExitFailure, "the source sqlite:.env can't be used: .env is damaged or no database"},
		"no scheme":            {nil, "u:hunter2@a.db", "sqlite:b.db", cli.ExitUsage, "--from names no store: give sqlite:PATH or mongodb://HOST/DATABASE"},
		"another scheme":       {nil, "sqlite:a.db", "postgres://u:hunter2@h/d", cli.ExitUsage, "--to names no store"},
		"an unreadable URI":    {nil, "mongodb://u:hunt/er2@h/d", "sqlite:b.db", cli.ExitUsage, "--from " + readable},
		"no MongoDB":           {nil, "mongodb:", "sqlite:b.db", cli.ExitUsage, "--from is mongodb:, but neither MONGO_URI nor MONGO_HOST says where that is"},
		"one file":             {nil, "sqlite:a.db", "sqlite:folder/../a.db", cli.ExitUsage, "--from and --to are both sqlite:a.db: name two stores"},
		"one file, two names":  {nil, "sqlite:a.db", "sqlite:link.db", cli.ExitUsage, "name two stores"},
		"one database":         {quick, "mongodb:", "mongodb://127.0.0.1:1/db", cli.ExitUsage, "--from and --to are both mongodb://127.0.0.1:1/db"},
		"a source away":        {quick, "mongodb:", "sqlite:b.db", cli.ExitFailure, "the source mongodb://127.0.0.1:1/db can't be used: "},
		"a destination away":   {quick, "sqlite:a.db", "mongodb://u:hunter2@127.0.0.1:1", cli.ExitFailure, "the destination mongodb://127.0.0.1:1/orders_db can't be used: "},
		"a source in use":      {nil, "sqlite:used.db", "sqlite:b.db", cli.ExitFailure, "the source sqlite:used.db can't be used: another process has it open: stop the service, then copy"},
		"a destination in use": {nil, "sqlite:a.db", "sqlite:used.db", cli.ExitFailure, "the destination sqlite:used.db can't be used: another process has it open"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			sources(t)
			before := files(t)
			code, out, errors := ordersIn(t, dir, tt.environ, "# nothing\n", "copy", "--from", tt.from, "--to", tt.to)
			if code != tt.code || out != "" || !strings.HasPrefix(errors, "orders: ") || !strings.Contains(errors, tt.want) {
				t.Errorf("exit code %d, output %q, errors %q, want %d and %q", code, out, errors, tt.code, tt.want)
			}
			if strings.Count(errors, "\n") != 1 || strings.Contains(errors, "hunter2") {
				t.Errorf("the error is not one line without a password: %q", errors)
			}
			if after := files(t); after != before {
				t.Errorf("files before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// sources makes what there is to copy from: a.db, also as link.db, and used.db, which is open until the test ends.
func sources(t *testing.T) {
	t.Helper()
	for _, name := range []string{"a.db", "used.db"} {
		store, err := sqlite.Open(sqlite.Config{Path: name})
		if err != nil {
			t.Fatal(err)
		}
		if name == "used.db" {
			t.Cleanup(func() {
				if err := store.Close(); err != nil {
					t.Error(err)
				}
			})
		} else if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("empty", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.db", "link.db"); err != nil {
		t.Skipf("no links: %v", err)
	}
}

// files lists the databases that there are, here and in folders.
func files(t *testing.T) string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.db", "*/*.db"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return strings.Join(all, "\n")
}
