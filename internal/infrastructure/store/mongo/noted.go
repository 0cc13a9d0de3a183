package mongo

import "sync"

// noted remembers what was spoken of, so that it is not said again and again. It forgets everything
// when there is too much of it. The zero value is ready to use.
type noted struct {
	mu   sync.Mutex
	seen map[string]struct{} // guarded by mu
}

// maxNoted bounds the memory of noted to about a megabyte.
const maxNoted = 10_000

// first reports whether a subject is new, and remembers it.
func (n *noted) first(subject string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.seen[subject]; ok {
		return false
	}
	if n.seen == nil || len(n.seen) >= maxNoted {
		n.seen = make(map[string]struct{})
	}
	n.seen[subject] = struct{}{}
	return true
}
