//go:build !linux

package simulated

import "errors"

// renameNew would rename a file unless there is one of the new name; elsewhere than on Linux nothing does that in one
// step.
func renameNew(_, _ string) error { return errors.ErrUnsupported }
