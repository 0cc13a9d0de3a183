package cli

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// migrateReport writes what a migration finds, one after the other, and its figures at the end: as text,
// or as one JSON object.
type migrateReport interface {
	finding(f MigrateFinding) error
	end(s MigrateSummary) error
}

func newMigrateReport(w io.Writer, o MigrateOptions) migrateReport {
	if o.JSON {
		return &migrateJSON{to: jsontext.NewEncoder(w, jsontext.WithIndent("  ")), dryRun: o.DryRun}
	}
	return &migrateText{w: w, dryRun: o.DryRun}
}

type migrateText struct {
	w      io.Writer
	dryRun bool
}

func (r *migrateText) finding(f MigrateFinding) error {
	for _, p := range f.Rounded {
		if _, err := fmt.Fprintf(r.w, "%s  rounded: line %d, unit price %s to %s\n", f.ID, p.Line, p.Was, p.Is); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if f.Reason == "" {
		return nil
	}
	if _, err := fmt.Fprintf(r.w, "%s  not converted: %s\n", f.ID, oneLine(f.Reason)); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *migrateText) end(s MigrateSummary) error {
	migrated, rounded, unconverted := "orders migrated", "prices rounded", "documents not converted"
	if r.dryRun {
		migrated, rounded, unconverted = "orders to be migrated", "prices to be rounded", "documents that can't be converted"
	}
	return printFigures(r.w, [][2]string{
		{migrated, number(s.Migrated)},
		{"orders there already", number(s.There)},
		{rounded, number(s.Rounded)},
		{unconverted, number(s.Unconverted)},
	})
}

type migrateJSON struct {
	to     *jsontext.Encoder
	dryRun bool
	begun  bool
}

func (r *migrateJSON) begin() error {
	if r.begun {
		return nil
	}
	r.begun = true
	return r.write(jsontext.BeginObject, jsontext.String("dry_run"), jsontext.Bool(r.dryRun), jsontext.String("findings"), jsontext.BeginArray)
}

func (r *migrateJSON) finding(f MigrateFinding) error {
	if err := r.begin(); err != nil {
		return err
	}
	if err := json.MarshalEncode(r.to, f); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *migrateJSON) end(s MigrateSummary) error {
	if err := r.begin(); err != nil {
		return err
	}
	return r.write(
		jsontext.EndArray,
		jsontext.String("migrated"), jsontext.Int(s.Migrated), jsontext.String("there_already"), jsontext.Int(s.There),
		jsontext.String("prices_rounded"), jsontext.Int(s.Rounded), jsontext.String("not_converted"), jsontext.Int(s.Unconverted),
		jsontext.EndObject,
	)
}

func (r *migrateJSON) write(tokens ...jsontext.Token) error {
	for _, t := range tokens {
		if err := r.to.WriteToken(t); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}
