package mongo

import (
	"sync"

	"order-processing-service/internal/domain/fault"
)

// connectFault is the error of a client that can't be made.
func connectFault(err error) error {
	return fault.Wrap(err, fault.Unavailable, "store_unreachable", "MongoDB can't be used with these settings; check MONGO_URI")
}

// noted remembers what was spoken of, so that it is not said again and again. It forgets everything
// when there is too much of it.
type noted struct {
	mu   sync.Mutex
	seen map[any]bool // guarded by mu
}
