// Package cluster_test runs three processes of the program on one MongoDB database, has them do the same things at the
// same time, kills one, has one stand still for longer than its lease, and counts what came of it: see package promises.
package cluster_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/test/mongodb"
	"order-processing-service/test/process"
	"order-processing-service/test/promises"
	"order-processing-service/test/proxy"
)

func TestMain(m *testing.M) { process.Main(m) }

// size is how many processes there are.
const size = 3

// lease is how long a process keeps what it tells to itself. What a dead one held is told after that.
const lease = 4 * time.Second

// cluster is several processes on one database.
type cluster struct {
	dir      string
	output   string // of all processes
	server   *mongodb.Server
	settings map[string]string
	nodes    []*node
}

// node is one process. Its name is that of the event bus it tells, so that what it told is known to be its own.
type node struct {
	*process.Process

	name    string
	data    string
	network *proxy.Proxy // between it and the database
}

// newCluster returns a cluster without processes on an empty database.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	server := mongodb.Need(t)
	dir := t.TempDir()
	return &cluster{dir: dir, output: filepath.Join(dir, "output"), server: server, settings: map[string]string{
		"MONGO_DB": server.Database(t).Name(), "DELIVERY_LEASE": lease.String(), "DELIVERY_POLL_INTERVAL": "100ms",
	}}
}

// start starts the processes, and waits until they listen.
func (c *cluster) start(t *testing.T) {
	t.Helper()
	for range size {
		network, uri := c.server.Proxied(t)
		name := fmt.Sprint("bus-", len(c.nodes))
		one := &node{name: name, data: filepath.Join(c.dir, name), network: network}
		settings := map[string]string{"MONGO_URI": uri, "EVENT_BUS_NAME": name, "DATA_DIR": one.data}
		maps.Copy(settings, c.settings)
		one.Process = process.Start(t, process.Config{Dir: c.dir, Output: c.output, Settings: settings})
		c.nodes = append(c.nodes, one)
	}
	for _, one := range c.nodes {
		one.AwaitURL(t)
	}
}

// check waits until everything is told, stops the processes that still run, and holds what is left against the books and
// so many orders besides. It returns who told how many events, and how many were told again.
func (c *cluster) check(t *testing.T, books []*promises.Book, others int, running ...*node) (shares map[string]int, repeats int) {
	t.Helper()
	running[0].AwaitTold(t)
	orders := promises.ReadOrders(t, running[0])
	for _, n := range running {
		n.Stop(t)
	}
	if t.Failed() {
		t.FailNow()
	}
	promises.CheckCalm(t, c.output)
	promises.CheckPromises(t, books, orders, others)
	told := promises.ReadTold(t, c.output)
	repeats = promises.CheckEvents(t, told, orders)
	var data []string
	for _, n := range c.nodes {
		data = append(data, n.data)
	}
	promises.CheckManifests(t, orders, data...)
	shares = make(map[string]int)
	for _, one := range told {
		shares[one.Bus]++
	}
	return shares, repeats
}

// wantShared checks that every node told something.
func (c *cluster) wantShared(t *testing.T, shares map[string]int) {
	t.Helper()
	for _, n := range c.nodes {
		if shares[n.name] == 0 {
			t.Errorf("%s told nothing: %v", n.name, shares)
		}
	}
}

// atOnce calls do for 0 to n-1, all at the same moment.
func atOnce(n int, do func(i int)) {
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-begin
			do(i)
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
}

// spread is a client that asks one process after the other.
type spread struct {
	nodes []*node
	next  atomic.Int64
}

// Ask implements promises.Client.
func (s *spread) Ask(tb testing.TB, q process.Request) (process.Answer, bool) {
	tb.Helper()
	return s.nodes[s.next.Add(1)%int64(len(s.nodes))].Ask(tb, q)
}

// lines returns n lines of an order.
func lines(n int) string {
	return strings.TrimSuffix(strings.Repeat(`{"sku": "TEA", "quantity": 2, "unit_price": 12.5}, `, n), ", ")
}
