package sqlite

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/domain/fault"
)

// migrations are applied in the order of their names; the database's user_version counts how many
// it has had. A migration that has been released is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database to the newest schema, each step in a transaction of its own.
func migrate(conn *sqlite3.Conn, path string) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	have, err := pragma(conn, "user_version")
	if err != nil {
		return err
	}
	if have > len(files) {
		return fault.New(fault.Unavailable, "store_too_new", fmt.Sprintf(
			"%s was written by a newer version of this program (schema %d, this program knows %d): start the newer version",
			path, have, len(files)))
	}
	if have == 0 {
		if err := wantEmpty(conn, path); err != nil {
			return err
		}
	}
	for version := have + 1; version <= len(files); version++ {
		script, err := migrations.ReadFile(files[version-1])
		if err != nil {
			return err
		}
		if err := apply(conn, string(script), version); err != nil {
			return fmt.Errorf("migration %s: %w", files[version-1], err)
		}
	}
	return nil
}

// wantEmpty keeps another program's database as it is.
func wantEmpty(conn *sqlite3.Conn, path string) error {
	stmt, _, err := conn.Prepare("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	foreign := stmt.Step() && stmt.ColumnInt(0) > 0
	if err := errors.Join(stmt.Err(), stmt.Close()); err != nil {
		return err
	}
	if foreign {
		return fault.New(fault.Unavailable, "store_foreign",
			path+" is the SQLite database of another program; set DATA_DIR to another folder")
	}
	return nil
}

func apply(conn *sqlite3.Conn, script string, version int) (err error) {
	tx, err := conn.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	if err := conn.Exec(script); err != nil {
		return err
	}
	return conn.Exec(fmt.Sprintf("PRAGMA user_version = %d", version))
}

func pragma(conn *sqlite3.Conn, name string) (int, error) {
	stmt, _, err := conn.Prepare("PRAGMA " + name)
	if err != nil {
		return 0, err
	}
	value := 0
	if stmt.Step() {
		value = stmt.ColumnInt(0)
	}
	return value, errors.Join(stmt.Err(), stmt.Close())
}
