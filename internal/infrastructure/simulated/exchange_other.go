//go:build !linux

package simulated

import "errors"

// exchange is for systems that can give each of two files the name of the other in one step.
func exchange(_, _ string) error { return errors.ErrUnsupported }
