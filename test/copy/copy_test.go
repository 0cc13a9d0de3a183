//go:build unix

// Package copy_test holds `orders copy` to its word with the built program: what was copied, and copied back, gives the same
// answers byte for byte, is told to whoever was not told yet and to nobody twice, and a copy that is stopped goes on.
//
// It copies an excerpt of a real file of orders; COPY_FILE names the whole one.
package copy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/mongodb"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "orders-copy")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "orders")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/orders").CombinedOutput(); err != nil { //nolint:noctx // ends by itself
		panic(fmt.Sprintf("build the program: %v\n%s", err, out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code) //nolint:forbidigo // the test binary's own end
}

// place is a store.
type place struct {
	name     string   // as --from and --to take it
	dir      string   // in which a service on it works
	settings []string // of a service on it
}

func onSQLite(t *testing.T) place {
	t.Helper()
	dir := t.TempDir()
	return place{"sqlite:" + filepath.Join(dir, "data"), dir, nil}
}

func onMongoDB(t *testing.T) place {
	t.Helper()
	server := mongodb.Need(t)
	return onDatabase(t, server.URI, server.Database(t).Name())
}

// onDatabase is a place on the server that the URI leads to.
func onDatabase(t *testing.T, uri, database string) place {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	return place{u.String(), t.TempDir(), []string{"MONGO_URI=" + u.String()}}
}

// serve starts a service on the place that tells nobody, or with further settings.
func (p place) serve(t *testing.T, settings ...string) *service {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(p.dir, "data"), 0o700); err != nil { // so that sqlite: names the file in it
		t.Fatal(err)
	}
	return serve(t, p.dir, append(slices.Concat(p.settings, []string{"EVENTS=none", "MANIFESTS=none"}), settings...)...)
}

// report is what `orders copy --output json` prints.
type report struct {
	Read      int   `json:"orders_read"`
	Copied    int   `json:"orders_copied"`
	Existing  int   `json:"orders_existing"`
	Differing int   `json:"orders_differing"`
	Failed    int   `json:"orders_failed"`
	Troubles  []any `json:"troubles"`
}

// copyAll copies, which must work, and compares the report.
func copyAll(t *testing.T, from, to place, want report) {
	t.Helper()
	if dir, ok := strings.CutPrefix(to.name, "sqlite:"); ok {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r := run(t, t.TempDir(), nil, "copy", "--from", from.name, "--to", to.name, "--output", "json")
	if r.code != 0 {
		t.Fatalf("copy from %s to %s: exit code %d\n%s", from.name, to.name, r.code, r.err)
	}
	var got report
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	want.Troubles = []any{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("copy from %s to %s (-want +got):\n%s", from.name, to.name, diff)
	}
}

func TestCopySQLiteToSQLiteAndBack(t *testing.T) {
	copyThrough(t, onSQLite(t), onSQLite(t), onSQLite(t))
}

func TestCopySQLiteToMongoDBAndBack(t *testing.T) {
	copyThrough(t, onSQLite(t), onMongoDB(t), onSQLite(t))
}

func TestCopyMongoDBToSQLiteAndBack(t *testing.T) {
	copyThrough(t, onMongoDB(t), onSQLite(t), onMongoDB(t))
}

// copyThrough fills the first place, copies it to the second and from there to the third, and looks at each.
func copyThrough(t *testing.T, first, second, third place) {
	t.Helper()
	lived := fill(t, first)
	want := read(t, first)
	n := len(want.ids)
	copyAll(t, first, second, report{Read: n, Copied: n})
	wantSame(t, "the second place", want, read(t, second))
	copyAll(t, second, third, report{Read: n, Copied: n})
	wantSame(t, "the third place", want, read(t, third))
	copyAll(t, first, second, report{Read: n, Existing: n})
	copyAll(t, first, third, report{Read: n, Existing: n})

	checkTold(t, third, lived, want)
	differing := run(t, t.TempDir(), nil, "copy", "--from", third.name, "--to", second.name)
	if differing.code != 1 || !strings.Contains(differing.err, "its deliveries stand elsewhere") {
		t.Errorf("a copy over other deliveries: exit code %d\n%.500s", differing.code, differing.err)
	}
	wantSame(t, "the second place, when another was to be copied over it,", want, read(t, second))
}

// fill makes orders of all kinds: some that have lived, whose manifests are parked, and those of the file, of which nobody
// was told. It returns the ids of those that have lived.
func fill(t *testing.T, p place) (lived []string) {
	t.Helper()
	broken := filepath.Join(p.dir, "data", "s3", "orders-manifest") // a file where the folder should be
	if err := os.MkdirAll(filepath.Dir(broken), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := p.serve(t, "EVENTS=simulated", "MANIFESTS=simulated", "DELIVERY_MAX_ATTEMPTS=1")
	for i, statuses := range [][]string{nil, {"PAID"}, {"PAID", "SHIPPED", "DELIVERED"}, {"CANCELED"}} {
		a := s.ask(t, http.MethodPost, "/orders", fmt.Sprint("order-", i), newOrder(i))
		var made struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(a.body), &made); err != nil {
			t.Fatal(err)
		}
		lived = append(lived, made.ID)
		for _, status := range statuses {
			s.ask(t, http.MethodPatch, "/orders/"+made.ID, "to-"+status, `{"status":"`+status+`"}`)
		}
	}
	s.awaitTold(t)
	s.stop(t)
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs("../../internal/application/importing/testdata/online-retail-excerpt.csv")
	if err != nil {
		t.Fatal(err)
	}
	if whole := os.Getenv("COPY_FILE"); whole != "" {
		file = whole
	}
	r := run(t, p.dir, p.settings, "import", file, "--column", "reference=InvoiceNo", "--column", "customer_id=CustomerID",
		"--column", "sku=StockCode", "--column", "name=Description", "--column", "quantity=Quantity", "--column", "unit_price=UnitPrice",
		"--column", "placed_at=InvoiceDate", "--column", "metadata.country=Country", "--currency", "GBP",
		"--date-layout", "1/2/06 15:04", "--time-zone", "Europe/London")
	if r.code != 0 {
		t.Fatalf("import: exit code %d\n%s", r.code, r.err)
	}
	return lived
}

func newOrder(i int) string {
	return fmt.Sprintf(`{"customer_id":"c-%d","reference":"R-%d","currency":"EUR","metadata":{"a.b":"$c","é":"ü"},`+
		`"items":[{"sku":"TEA","name":"Grüner Tee","quantity":%d,"unit_price":12.345}]}`, i, i, i+1)
}

// answers are what a place says: the whole body of each answer, with the ETag, by path.
type answers struct {
	ids    []string
	bodies map[string]string
}

// read asks a place for everything. It must not be told of anything meanwhile.
func read(t *testing.T, p place) answers {
	t.Helper()
	s := p.serve(t)
	defer s.stop(t)
	all := answers{bodies: map[string]string{}}
	var mu sync.Mutex
	take := func(path string, into any) {
		a := s.decode(t, path, into)
		mu.Lock()
		defer mu.Unlock()
		all.bodies[path] = a.header.Get("ETag") + "\n" + a.body
	}
	var page struct {
		Orders []struct {
			ID string `json:"id"`
		} `json:"orders"`
		Next string `json:"next_cursor"`
	}
	for path := "/orders?limit=100"; ; path = "/orders?limit=100&cursor=" + url.QueryEscape(page.Next) {
		page.Next = ""
		take(path, &page)
		for _, o := range page.Orders {
			all.ids = append(all.ids, o.ID)
		}
		if page.Next == "" {
			break
		}
	}
	ids := make(chan string, len(all.ids))
	for _, id := range all.ids {
		ids <- id
	}
	close(ids)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for id := range ids {
				var order, timeline struct{}
				take("/orders/"+id, &order)
				take("/orders/"+id+"/timeline", &timeline)
			}
		})
	}
	readers.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, state := range []string{"waiting", "parked"} {
		for path := "/deliveries?state=" + state; ; path = "/deliveries?state=" + state + "&cursor=" + url.QueryEscape(page.Next) {
			page.Next = ""
			take(path, &page)
			if page.Next == "" {
				break
			}
		}
	}
	for _, query := range []string{"status=PAID", "customer_id=c-2", "reference=R-3", "payment_status=UNPAID&limit=7", "fulfillment_status=DELIVERED"} {
		take("/orders?"+query, &page)
	}
	// What was asked before under a key is answered as before, by the order alone.
	for i := range 4 {
		a := s.ask(t, http.MethodPost, "/orders", fmt.Sprint("order-", i), newOrder(i))
		if a.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("order %d was made a second time", i)
		}
		all.bodies[fmt.Sprint("repeat ", i)] = a.body
	}
	return all
}

func wantSame(t *testing.T, what string, want, got answers) {
	t.Helper()
	different := 0
	for _, path := range slices.Sorted(maps.Keys(want.bodies)) {
		if got.bodies[path] == want.bodies[path] {
			continue
		}
		different++
		if different <= 3 {
			t.Errorf("%s answers %s\n%.2000s\nwant\n%.2000s", what, path, got.bodies[path], want.bodies[path])
		}
	}
	if len(got.bodies) != len(want.bodies) || different > 0 {
		t.Fatalf("%s gives %d answers, want %d; %d of them differ", what, len(got.bodies), len(want.bodies), different)
	}
	t.Logf("%s gives the same %d answers of %d orders", what, len(got.bodies), len(got.ids))
}

// checkTold starts a service with subscribers where orders were copied to. Each event that nobody was told is told once, and
// none that was. What was parked stays so until it is sent again.
func checkTold(t *testing.T, p place, lived []string, was answers) {
	t.Helper()
	s := p.serve(t, "EVENTS=simulated", "MANIFESTS=simulated")
	s.awaitTold(t)
	const parked = "/deliveries?state=parked"
	var page struct{}
	if a := s.decode(t, parked, &page); "\n"+a.body != was.bodies[parked] {
		t.Errorf("what is parked: %s\nwant%s", a.body, was.bodies[parked])
	}
	for _, id := range lived {
		if s.manifest(p, id) {
			t.Errorf("there is a manifest of order %s, which was parked", id)
		}
		s.ask(t, http.MethodPost, "/deliveries/"+id+"/manifests/redrive", "", "")
	}
	s.awaitTold(t)
	s.stop(t)
	want := map[string]int{}
	for _, id := range was.ids {
		if !slices.Contains(lived, id) {
			want[id+"-1"] = 1
		}
		if !s.manifest(p, id) {
			t.Errorf("there is no manifest of order %s", id)
		}
	}
	if diff := cmp.Diff(want, s.events); diff != "" {
		t.Errorf("how often each event was told (-want +got):\n%.3000s", diff)
	}
}

// manifest tells whether a service on the place wrote the order's manifest.
func (*service) manifest(p place, id string) bool {
	_, err := os.Stat(filepath.Join(p.dir, "data", "s3", "orders-manifest", id+".json"))
	return err == nil
}
