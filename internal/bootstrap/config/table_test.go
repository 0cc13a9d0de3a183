package config_test

import (
	"testing"

	"order-processing-service/internal/bootstrap/config"
)

func TestTableHasWhatLoadReads(t *testing.T) {
	rows, settings := config.Table(), mustLoad(t, config.Source{}).Settings()
	if len(rows) != len(settings) {
		t.Fatalf("%d rows, but %d settings", len(rows), len(settings))
	}
	for i, row := range rows {
		s := settings[i]
		if row.Name != s.Name || row.Allowed != s.Allowed || row.Description != s.Description || row.Secret != s.Secret || row.Group == "" {
			t.Errorf("row %+v, setting %+v", row, s)
		}
		if !s.Secret && row.Default != s.Default {
			t.Errorf("%s: default %q in the table, %q when loaded", row.Name, row.Default, s.Default)
		}
		secret := func([]string) ([]string, error) { return []string{`{"` + row.Name + `":"` + row.Default + `"}`}, nil }
		for name, takes := range map[string]bool{"SECRETS_ID": row.InSecrets, "MONGO_SECRET_ID": row.OfMongoDB} {
			c := mustLoad(t, config.Source{Environ: []string{name + "=one"}, Secrets: secret})
			if taken := len(c.Warnings()) == 0; taken != takes {
				t.Errorf("%s in the secret of %s: taken is %t, the table says %t; warnings %q", row.Name, name, taken, takes, c.Warnings())
			}
		}
	}
}
