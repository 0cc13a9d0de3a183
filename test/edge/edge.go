// Package edge tries the running program from outside: TLS, and what hostile clients do to connections.
package edge
