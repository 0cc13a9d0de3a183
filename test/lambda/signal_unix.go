//go:build unix

package lambda

import (
	"syscall"
	"testing"
)

// Freeze has the instance stand still, as Lambda does between invocations, until Thaw.
func (f *Function) Freeze(tb testing.TB) {
	tb.Helper()
	f.signal(tb, syscall.SIGSTOP)
}

// Thaw ends a Freeze.
func (f *Function) Thaw(tb testing.TB) {
	tb.Helper()
	f.signal(tb, syscall.SIGCONT)
}

// Terminate says, as Lambda does, that the instance is needed no more.
func (f *Function) Terminate(tb testing.TB) {
	tb.Helper()
	f.signal(tb, syscall.SIGTERM)
}

func (f *Function) signal(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := f.command.Process.Signal(s); err != nil {
		tb.Errorf("signal %v: %v", s, err)
	}
}
