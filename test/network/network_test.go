// Package network_test breaks the network between the program and its MongoDB, in every way that a network has, and holds
// the program to its word: every request is answered in time, by what was done or by 503 with Retry-After; what was
// acknowledged is there, once; and soon after the server is back everything goes on by itself.
package network_test

import (
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"order-processing-service/test/mongodb"
	"order-processing-service/test/process"
	"order-processing-service/test/promises"
	"order-processing-service/test/proxy"
)

func TestMain(m *testing.M) { process.Main(m) }

const (
	// timeout is the service's MONGO_TIMEOUT.
	timeout = time.Second
	// slack is what a busy machine may add to it.
	slack = 1500 * time.Millisecond
	// recovery is how long after the server's return everything must be as before.
	recovery = 2 * time.Second
	// pace is the least time from one request of a writer to the next, so that the database stays small.
	pace = 25 * time.Millisecond
)

// room is a service, and the network between it and its database.
type room struct {
	*process.Process

	network *proxy.Proxy
	dir     string
	output  string
}

// newRoom returns a service that is being started, in a network that prepare has broken.
func newRoom(t *testing.T, prepare func(*proxy.Proxy)) *room {
	t.Helper()
	server := mongodb.Need(t)
	network, uri := server.Proxied(t)
	dir := t.TempDir()
	r := &room{network: network, dir: dir, output: filepath.Join(dir, "output")}
	database := server.Database(t).Name()
	prepare(network)
	r.Process = process.Start(t, process.Config{Dir: dir, Output: r.output, Settings: map[string]string{
		"MONGO_URI": uri, "MONGO_DB": database, "MONGO_TIMEOUT": timeout.String(), "DELIVERY_BACKOFF_MIN": "50ms", "DELIVERY_BACKOFF_MAX": "200ms",
	}})
	return r
}

// diary is what writers were answered.
type diary struct {
	mu      sync.Mutex
	answers []answered
}

type answered struct {
	began, ended time.Time
	status       int
}

func (d *diary) note(a process.Answer, began time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers = append(d.answers, answered{began, time.Now(), a.Status})
}

// since counts the answers to requests that began after a moment, and how many of them were refusals.
func (d *diary) since(moment time.Time) (answers, refused int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.answers {
		if a.began.After(moment) {
			answers++
			if a.status == http.StatusServiceUnavailable {
				refused++
			}
		}
	}
	return answers, refused
}

// firstDone returns when the first request that began after a moment was done.
func (d *diary) firstDone(moment time.Time) (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first time.Time
	for _, a := range d.answers {
		if a.began.After(moment) && a.status != http.StatusServiceUnavailable && (first.IsZero() || a.ended.Before(first)) {
			first = a.ended
		}
	}
	return first, !first.IsZero()
}

// TestBrokenNetwork has writers work while the network breaks in one way after the other.
func TestBrokenNetwork(t *testing.T) {
	const writers = 6
	lasting := func(begin func(*proxy.Proxy)) func(*proxy.Proxy) <-chan struct{} {
		return func(p *proxy.Proxy) <-chan struct{} { begin(p); return nil }
	}
	moment := func(begin func(*proxy.Proxy)) func(*proxy.Proxy) <-chan struct{} {
		return func(p *proxy.Proxy) <-chan struct{} {
			begin(p)
			over := make(chan struct{})
			time.AfterFunc(timeout/3, func() { close(over) })
			return over
		}
	}
	losing := func(n int, marker string) func(*proxy.Proxy) <-chan struct{} {
		return func(p *proxy.Proxy) <-chan struct{} { return p.CutAfterSending(n, marker) }
	}
	faults := []struct {
		name string
		// begin begins it, and returns what is closed when it is over; nil if nothing gets through until it is healed.
		begin func(*proxy.Proxy) <-chan struct{}
	}{
		{"connections are cut", lasting((*proxy.Proxy).Cut)},
		{"connections are cut for a moment", moment((*proxy.Proxy).Cut)},
		{"nothing gets through and nobody is told", lasting((*proxy.Proxy).BlackHole)},
		{"nothing gets through for a moment", moment((*proxy.Proxy).BlackHole)},
		{"the server sees its clients hang up", moment((*proxy.Proxy).HalfClose)},
		{"answers come too late", lasting(func(p *proxy.Proxy) { p.Delay(2 * timeout) })},
		{"answers come late", moment(func(p *proxy.Proxy) { p.Delay(timeout / 8) })},
		{"answers are lost", losing(20, "")},
		{"answers to new orders are lost", losing(8, "\x02insert\x00")},
		{"answers to changes are lost", losing(8, "\x02update\x00")},
	}
	r := newRoom(t, func(*proxy.Proxy) {})
	r.AwaitURL(t)
	var d diary
	ended := make(chan struct{})
	books := make([]*promises.Book, writers)
	var working sync.WaitGroup
	for i := range books {
		books[i] = promises.NewBook(i, rand.New(rand.NewPCG(11, uint64(i)))) //nolint:gosec // repeatable on purpose
		books[i].Late = true
		p := promises.Patient{Client: r, Ended: ended, Pace: pace, Seen: d.note}
		working.Go(func() { books[i].WorkOn(t, p) })
	}
	for _, f := range faults {
		d.awaitAnswers(t, time.Now(), 2*writers)
		broken := time.Now()
		if over := f.begin(r.network); over == nil {
			// Every writer has met it, and waited for as long as the service does.
			process.Await(t, f.name+": refusals", func() bool { _, refused := d.since(broken); return refused >= writers })
			process.Await(t, f.name, func() bool { return time.Since(broken) > timeout })
		} else {
			select {
			case <-over:
			case <-time.After(process.Patience):
				t.Fatalf("%s: waited in vain for it to be over", f.name)
			}
		}
		healed := time.Now()
		r.network.Heal()
		process.Await(t, f.name+": a request that is done", func() bool { _, ok := d.firstDone(healed); return ok })
		first, _ := d.firstDone(healed)
		if first.Sub(healed) > recovery {
			t.Errorf("%s: the first request was done %v after the server's return", f.name, first.Sub(healed))
		}
		process.Await(t, "the time to recover", func() bool { return time.Since(healed) > recovery })
		d.awaitAnswers(t, healed.Add(recovery), 2*writers)
		if _, refused := d.since(healed.Add(recovery)); refused > 0 {
			t.Errorf("%s: %d requests were refused later than %v after the server's return", f.name, refused, recovery)
		}
		_, refused := d.since(broken)
		t.Logf("%s: %d refused, the first done %v after the server's return", f.name, refused, first.Sub(healed).Round(time.Millisecond))
	}
	close(ended)
	working.Wait()
	for _, b := range books {
		if !b.Settle(t, promises.Patient{Client: r}) {
			t.Error("there is no answer")
		}
	}
	r.AwaitTold(t)
	orders := promises.ReadOrders(t, r)
	r.Stop(t)
	if t.Failed() {
		return
	}
	promises.CheckPromises(t, books, orders, 0)
	repeats := promises.CheckEvents(t, promises.ReadTold(t, r.output), orders)
	promises.CheckManifests(t, orders, filepath.Join(r.dir, "data"))
	d.checkTimes(t)
	t.Logf("%d answers: %v; %d events were told twice", len(d.answers), promises.Total(books), repeats)
}

// awaitAnswers waits for so many answers to requests that began after a moment.
func (d *diary) awaitAnswers(t *testing.T, moment time.Time, n int) {
	t.Helper()
	process.Await(t, "answers", func() bool { answers, _ := d.since(moment); return answers >= n })
}

// checkTimes checks that every request was answered within its bound.
func (d *diary) checkTimes(t *testing.T) {
	t.Helper()
	var longest time.Duration
	for _, a := range d.answers {
		took := a.ended.Sub(a.began)
		longest = max(longest, took)
		if took > timeout+slack {
			t.Errorf("a request was answered %d after %v", a.status, took)
		}
	}
	t.Logf("the longest request took %v", longest.Round(time.Millisecond))
}

// body is that of a new order.
const body = `{"customer_id": "c-1", "items": [{"sku": "TEA", "quantity": 2, "unit_price": 12.5}]}`

// operations are requests that need the store, one of each kind.
func operations() []process.Request {
	const id = "/orders/0123456789abcdef01234567"
	var all []process.Request
	for _, path := range []string{
		"/health/ready", "/orders", "/orders?status=PAID", "/orders/export", id, id + "/timeline", "/deliveries?state=waiting", "/deliveries?state=parked",
	} {
		all = append(all, process.Request{Method: http.MethodGet, Path: path})
	}
	return append(
		all,
		process.Request{Method: http.MethodPost, Path: "/orders", Body: body},
		process.Request{Method: http.MethodPost, Path: "/orders", Key: "k-1", Body: body},
		process.Request{Method: http.MethodPatch, Path: id, Body: `{"status": "PAID"}`},
		process.Request{Method: http.MethodPatch, Path: id, Key: "k-1", Body: `{"metadata": {"a": "b"}}`},
		process.Request{Method: http.MethodPost, Path: "/deliveries/redrive"},
		process.Request{Method: http.MethodPost, Path: "/deliveries" + strings.TrimPrefix(id, "/orders") + "/events/redrive"},
		process.Request{Method: http.MethodPost, Path: "/deliveries" + strings.TrimPrefix(id, "/orders") + "/events/skip"},
	)
}

// TestServerAwayAtStart starts the service while the server is away. It lives, says so, and begins by itself when the
// server comes.
func TestServerAwayAtStart(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		begin func(*proxy.Proxy)
	}{
		{"nobody listens", func(p *proxy.Proxy) { p.Cut() }},
		{"nobody answers", func(p *proxy.Proxy) { p.BlackHole() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t, tt.begin)
			r.AwaitURL(t)
			if a, ok := r.Ask(t, process.Request{Method: http.MethodGet, Path: "/health/live"}); !ok || a.Status != http.StatusOK {
				t.Errorf("GET /health/live: status %d\n%s", a.Status, a.Body)
			}
			var asking sync.WaitGroup
			for _, q := range operations() {
				asking.Go(func() { r.wantRefused(t, q) })
			}
			asking.Go(func() { r.wantBatchRefused(t) })
			asking.Wait()

			r.network.Heal()
			healed := time.Now()
			process.Await(t, "the service to be ready", func() bool {
				a, ok := r.Ask(t, process.Request{Method: http.MethodGet, Path: "/health/ready"})
				return ok && a.Status == http.StatusOK
			})
			a, ok := r.Ask(t, process.Request{Method: http.MethodPost, Path: "/orders", Body: body})
			if took := time.Since(healed); !ok || a.Status != http.StatusCreated || took > recovery {
				t.Errorf("POST /orders %v after the server has come: status %d\n%s", took, a.Status, a.Body)
			}
			r.AwaitTold(t)
			if orders := promises.ReadOrders(t, r); len(orders) != 1 {
				t.Errorf("there are %d orders, want the one", len(orders))
			}
			r.Stop(t)
		})
	}
}

// wantRefused checks that a request is refused in time, and says when to try again.
func (r *room) wantRefused(t *testing.T, q process.Request) {
	t.Helper()
	began := time.Now()
	a, ok := r.Ask(t, q)
	took := time.Since(began)
	if seconds, err := strconv.Atoi(a.RetryAfter); !ok || a.Status != http.StatusServiceUnavailable || err != nil || seconds < 1 {
		t.Errorf("%s %s: status %d with Retry-After %q\n%s", q.Method, q.Path, a.Status, a.RetryAfter, a.Body)
	}
	if took > timeout+slack {
		t.Errorf("%s %s: refused after %v", q.Method, q.Path, took)
	}
}

// wantBatchRefused checks that every order of a batch is refused on its own, in time.
func (r *room) wantBatchRefused(t *testing.T) {
	t.Helper()
	began := time.Now()
	a, ok := r.Ask(t, process.Request{Method: http.MethodPost, Path: "/orders/batch", Body: `{"orders": [` + body + ", " + body + `]}`})
	took := time.Since(began)
	if !ok || strings.Count(string(a.Body), `"status":503,"problem"`) != 2 || took > timeout+slack {
		t.Errorf("POST /orders/batch: status %d after %v\n%s", a.Status, took, a.Body)
	}
}
