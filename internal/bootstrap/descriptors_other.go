//go:build !unix

package bootstrap

// openFiles is how many files and connections the process may have open; 0 when it can't be known.
func openFiles() uint64 { return 0 }
