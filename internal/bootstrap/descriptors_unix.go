//go:build unix

package bootstrap

import "syscall"

// openFiles is how many files and connections the process may have open; 0 when it can't be known.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // some systems have it signed
}
