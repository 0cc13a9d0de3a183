package mongo

import "time"

// What Config.Observe is told that a call did.
const (
	opInsert = "insert"
	opUpdate = "update"
)

// observed begins a call that writes so many documents. What it returns is called with the outcome.
func (s *Store) observed(operation string, writes int) (done func(error)) {
	if s.observe == nil {
		return func(error) {}
	}
	begun := time.Now()
	return func(err error) {
		if err == nil {
			s.observe(operation, writes, time.Since(begun))
		}
	}
}
