package simulated

import "golang.org/x/sys/unix"

// renameNew renames a file, but not if there is one of the new name, or the file system can't tell.
func renameNew(old, path string) error {
	return unix.Renameat2(unix.AT_FDCWD, old, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE) //nolint:wrapcheck // any error means no
}
