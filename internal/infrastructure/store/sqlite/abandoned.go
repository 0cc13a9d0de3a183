package sqlite

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// owners are the dispatchers that were given leases since the file was opened. One process at a time
// has the file open, so the lease of any other owner was left by a process that is gone.
type owners struct {
	known atomic.Pointer[map[string]bool] // replaced, never changed
	mu    sync.Mutex                      // guards replacing
}

func (o *owners) add(owner string) {
	if owner == "" || o.has(owner) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	grown := map[string]bool{owner: true}
	if known := o.known.Load(); known != nil {
		maps.Copy(grown, *known)
	}
	o.known.Store(&grown)
}

func (o *owners) has(owner string) bool {
	known := o.known.Load()
	return known != nil && (*known)[owner]
}

// abandoned is how far the search for leases of earlier processes has come.
type abandoned struct {
	due      int64
	id       order.ID
	searched bool
}

// claimAbandoned fills rows with orders that are leased to a process that is gone, so that they need
// not wait for the end of the lease. They are looked for once after the start, a part with each
// claim: no more than limit and room allow.
func (s *Store) claimAbandoned(
	c *conn, rows []dueRow, claim delivery.Claim, search *abandoned, limit, room int,
) ([]dueRow, error) {
	free := limit - len(rows)
	if search.searched || free <= 0 {
		return rows, nil
	}
	seen := 0
	err := c.query(selectAhead, []any{search.due, search.id[:], free}, func(row *sqlite3.Stmt) error {
		seen++
		r := scanDue(row)
		search.due, search.id = row.ColumnInt64(6), r.id
		if r.err == nil && search.due > millis(claim.Now) && r.tracks.Abandon(s.owners.has, claim.Now) {
			rows = append(rows, r)
			if room -= r.size(); room <= 0 {
				return errEnough
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return rows, nil
	}
	search.searched = err == nil && seen < free
	return rows, err
}
