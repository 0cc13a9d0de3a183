//go:build unix

package process

import (
	"syscall"
	"testing"
)

// Pause has the process stand still, in the middle of whatever it does, until Continue.
func (p *Process) Pause(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGSTOP)
}

// Continue ends a Pause.
func (p *Process) Continue(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGCONT)
}

func (p *Process) signal(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		tb.Errorf("signal %v: %v", s, err)
	}
}
