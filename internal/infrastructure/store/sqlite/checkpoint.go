package sqlite

import (
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
)

// checkpointPages is how many pages the write-ahead log has before it is copied to the database: 16
// MiB. Larger logs make commits wait longer, smaller ones copy the same pages more often.
const checkpointPages = 4_000

// checkpointer copies the write-ahead log into the database on a connection of its own, so that
// commits do not wait for it. What was committed meanwhile is little and is copied by the writer
// itself: with all of the log copied, its next commit begins the log anew, in place.
type checkpointer struct {
	conn     *conn // used by run only
	writer   *sqlite3.Conn
	lookAway func() // ends the views of readers, which keep parts of the log from being copied or written anew
	pages    int    // in the log after the newest commit; used by the writer only
	wanted   chan struct{}
	copied   atomic.Bool
	ended    chan struct{}
}

func newCheckpointer(path string, writer *sqlite3.Conn, lookAway func()) (*checkpointer, error) {
	c, err := open(path, sqlite3.OPEN_READWRITE, "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL;")
	if err != nil {
		return nil, err
	}
	k := &checkpointer{
		conn: c, writer: writer, lookAway: lookAway, wanted: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	writer.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		k.pages = pages
		return nil
	})
	go k.run()
	return k, nil
}

func (k *checkpointer) run() {
	defer close(k.ended)
	for range k.wanted {
		k.lookAway()
		// A log that can't be copied now is copied later; what is in it is durable all the same.
		if _, _, err := k.conn.WALCheckpoint("", sqlite3.CHECKPOINT_PASSIVE); err == nil {
			k.copied.Store(true)
		}
	}
}

// afterCommit is called by the writer between two commits.
func (k *checkpointer) afterCommit() {
	if k.copied.CompareAndSwap(true, false) {
		k.lookAway()                                                     // for what is copied now
		_, _, _ = k.writer.WALCheckpoint("", sqlite3.CHECKPOINT_PASSIVE) // as in run
		k.lookAway()                                                     // for the next commit, which begins the log anew
		return
	}
	if k.pages > checkpointPages {
		select {
		case k.wanted <- struct{}{}:
		default:
		}
	}
}

func (k *checkpointer) close() error {
	close(k.wanted)
	<-k.ended
	return k.conn.Close()
}
