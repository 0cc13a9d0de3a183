package sqlite

import (
	"errors"
	"net/url"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
)

// conn is a connection that keeps the statements it has prepared. It is used by one goroutine at a
// time.
type conn struct {
	*sqlite3.Conn
	statements map[string]*sqlite3.Stmt
	view       int64 // of a reader in a transaction: the store's commits when it began
}

// open opens a connection to the database file.
func open(path string, flags sqlite3.OpenFlag, pragmas string) (*conn, error) {
	if err := registerVFS(); err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: "vfs=" + gatheringVFS}
	c, err := sqlite3.OpenFlags(uri.String(), flags|sqlite3.OPEN_URI)
	if err != nil {
		return nil, err
	}
	if err := c.Exec(pragmas); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &conn{Conn: c, statements: make(map[string]*sqlite3.Stmt)}, nil
}

// statement returns the prepared statement of the given text, ready to be bound. The number of
// different texts is bounded by the code, which never puts a caller's input into one.
func (c *conn) statement(sql string) (*sqlite3.Stmt, error) {
	if stmt, ok := c.statements[sql]; ok {
		return stmt, nil
	}
	stmt, _, err := c.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	c.statements[sql] = stmt
	return stmt, nil
}

// Close finalizes the statements and closes the connection.
func (c *conn) Close() error {
	var errs []error
	for _, stmt := range c.statements {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// query binds args and calls row for each row found. Rows must be read before row returns.
func (c *conn) query(sql string, args []any, row func(*sqlite3.Stmt) error) (err error) {
	stmt, err := c.statement(sql)
	if err != nil {
		return err
	}
	defer func() {
		if resetErr := stmt.Reset(); err == nil {
			err = resetErr
		}
	}()
	if err := bind(stmt, args); err != nil {
		return err
	}
	for stmt.Step() {
		if err := row(stmt); err != nil {
			return err
		}
	}
	return stmt.Err()
}

// exec binds args and runs the statement.
func (c *conn) exec(sql string, args ...any) error {
	return c.query(sql, args, func(*sqlite3.Stmt) error { return nil })
}

// text marks bytes that are bound as text.
type text []byte

// bind binds the few types that this package uses. A nil pointer or a null binds NULL.
func bind(stmt *sqlite3.Stmt, args []any) error {
	for i, arg := range args {
		var err error
		switch v := arg.(type) {
		case nil:
			err = stmt.BindNull(i + 1)
		case int:
			err = stmt.BindInt(i+1, v)
		case int64:
			err = stmt.BindInt64(i+1, v)
		case string:
			err = stmt.BindText(i+1, v)
		case text:
			err = stmt.BindRawText(i+1, v)
		case []byte:
			err = stmt.BindBlob(i+1, v)
		default:
			panic("sqlite: bind: a type that is not listed")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
