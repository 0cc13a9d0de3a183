package bootstrap_test

import (
	"strings"
	"testing"

	"order-processing-service/internal/interfaces/cli"
)

func TestIndexesCommand(t *testing.T) {
	for database, environ := range map[string]map[string]string{
		"orders_db": nil,
		"shop":      {"MONGO_HOST": "db.example", "MONGO_DB": "shop"},
		"other":     {"MONGO_URI": "mongodb://root:hunter2@db.example/other", "MONGO_DB": "shop"},
	} {
		code, out, errors := orders(t, environ, "", "mongo", "indexes")
		begins := `db = db.getSiblingDB("` + database + `")` + "\n"
		if code != cli.ExitOK || errors != "" || !strings.HasPrefix(out, begins) || strings.Contains(out, "hunter2") {
			t.Errorf("exit code %d, errors %q, output\n%s", code, errors, out)
		}
		for line := range strings.Lines(strings.TrimPrefix(out, begins)) {
			if !strings.HasPrefix(line, "// ") && !strings.HasPrefix(line, "db.orders.createIndex({") {
				t.Errorf("a line is no command: %s", line)
			}
		}
		if strings.Count(out, "createIndex") < 5 {
			t.Errorf("few indexes:\n%s", out)
		}
	}
}

// TestMongoCommandsWithoutMongo says in one line what is missing.
func TestMongoCommandsWithoutMongo(t *testing.T) {
	for name, tt := range map[string]struct {
		environ map[string]string
		command string
		code    int
		want    string
	}{
		"no settings": {nil, "migrate", cli.ExitUsage, "the settings name no MongoDB: set MONGO_HOST or MONGO_URI"},
		"a wrong setting": {
			map[string]string{"MONGO_HOST": "db.example", "MONGO_PORT": "many"}, "migrate", cli.ExitUsage, `MONGO_PORT="many" (environment): give`,
		},
		"a wrong address": {map[string]string{"MONGO_URI": "db.example"}, "migrate", cli.ExitUsage, "MONGO_URI"},
		"a wrong address of indexes": {
			map[string]string{"MONGO_URI": "mongodb://root:hunter2:@db.example"}, "indexes", cli.ExitUsage, "MONGO_URI",
		},
		"nobody there": {
			map[string]string{"MONGO_HOST": "127.0.0.1", "MONGO_PORT": "1", "MONGO_TIMEOUT": "200ms"},
			"migrate", cli.ExitFailure,
			"MongoDB can't be reached: check that it runs, and MONGO_HOST and MONGO_PORT, or MONGO_URI",
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errors := orders(t, tt.environ, "", "mongo", tt.command)
			if code != tt.code || out != "" || !strings.HasPrefix(errors, "orders: "+tt.want) || strings.Count(errors, "\n") != 1 ||
				strings.Contains(errors, "hunter2") {
				t.Errorf("exit code %d, output %q, errors\n%s", code, out, errors)
			}
		})
	}
}
