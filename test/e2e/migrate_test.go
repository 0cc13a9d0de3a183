package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
)

// asProgram is the variable that makes this test binary the program `orders`.
const asProgram = "ORDERS_E2E_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		m.Run()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	streams := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	os.Exit(cli.Run(ctx, bootstrap.Commands(), os.Args[1:], streams)) //nolint:forbidigo,gocritic // this is the command
}

// command is a run of the program that has begun.
type command struct {
	*exec.Cmd

	out, err bytes.Buffer
}

// begins starts the program with the settings of the home.
func (h *home) begins(t *testing.T, arguments ...string) *command {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &command{Cmd: exec.Command(binary, arguments...)} //nolint:noctx // it ends by itself, or by a signal
	c.Dir = h.dir                                          // where no .env file is
	c.Env = []string{asProgram + "=1", "SYSTEMROOT=" + os.Getenv("SYSTEMROOT")}
	for name, value := range h.settings {
		c.Env = append(c.Env, name+"="+value)
	}
	c.Stdout, c.Stderr = &c.out, &c.err
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// end waits for the end of the program, and checks its exit code.
func (c *command) end(t *testing.T, code int) {
	t.Helper()
	limit := time.AfterFunc(3*patience, func() { _ = c.Process.Kill() })
	defer limit.Stop()
	err := c.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != code {
		t.Errorf("%q exits %d, not %d:\n%s%s", c.Args[1:], got, code, c.out.String(), c.err.String())
	}
}

// complaints is what the program has said on standard error, besides the progress that it tells when it takes long.
func (c *command) complaints() string {
	var b strings.Builder
	for line := range strings.Lines(c.err.String()) {
		if !strings.HasPrefix(line, "orders: migrated ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// migrates runs a migration to its end and returns its report.
func (h *home) migrates(t *testing.T, flags ...string) string {
	t.Helper()
	c := h.begins(t, append([]string{"mongo", "migrate"}, flags...)...)
	c.end(t, cli.ExitOK)
	if said := c.complaints(); said != "" {
		t.Errorf("on standard error: %s", said)
	}
	return c.out.String()
}

// figure is the number that a report has behind a name.
func figure(t *testing.T, report, name string) int {
	t.Helper()
	for line := range strings.Lines(report) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n := 0
			if _, err := fmt.Sscan(strings.ReplaceAll(rest, ",", ""), &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %q in the report:\n%s", name, report)
	return 0
}

// TestMigrate migrates the documents of the FastAPI service, dry first, then twice, beside a service that answers the same
// before and after.
func TestMigrate(t *testing.T) {
	l := newLegacy(t, append(legacyOrders(), bson.D{{Key: "_id", Value: "seven"}})...)
	s := l.start(t)
	s.untold, s.broken = true, true
	ids := legacyIDs()
	reads := func() {
		for _, st := range legacyReads() {
			st.run(t, s, ids)
		}
	}
	export := func() string { return string(s.get(t, "/orders/export?format=ndjson")) }
	reads()
	before := export()
	findings := fmt.Sprintf("%q  not converted: _id is of type string, not an ObjectID\n", "seven") +
		ids["finer"] + "  rounded: line 1, unit price 0.30000000000000004 to 0.30\n" +
		ids["lost"] + "  not converted: status is \"LOST\", which is none of [PENDING PAID SHIPPED DELIVERED CANCELED]\n" +
		ids["negative"] + "  not converted: items[0].unit_price is -1; it must be zero or more\n"
	untouched := map[any]bson.Raw{"seven": nil, legacyID(lost): nil, legacyID(negative): nil}
	for id := range untouched {
		untouched[id] = l.stored(t, id)
	}

	dry := l.migrates(t, "--dry-run")
	want := findings + `orders to be migrated              6
orders there already               0
prices to be rounded               1
documents that can't be converted  3
`
	if diff := cmp.Diff(want, dry); diff != "" {
		t.Errorf("report of a dry run (-want +got):\n%s", diff)
	}
	if n, err := l.orders.CountDocuments(t.Context(), bson.D{{Key: "form", Value: 1}}); err != nil || n != 0 {
		t.Errorf("a dry run has written %d documents, %v", n, err)
	}
	if again := l.migrates(t, "--dry-run"); again != dry {
		t.Errorf("a second dry run reports\n%s", again)
	}

	want = findings + `orders migrated          6
orders there already     0
prices rounded           1
documents not converted  3
`
	if diff := cmp.Diff(want, l.migrates(t)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	reads()
	if diff := cmp.Diff(before, export()); diff != "" {
		t.Errorf("orders (-before +after):\n%s", diff)
	}
	second := l.migrates(t)
	if figure(t, second, "orders migrated") != 0 || figure(t, second, "orders there already") != 6 || figure(t, second, "documents not converted") != 3 {
		t.Errorf("a second migration reports\n%s", second)
	}
	for id, was := range untouched {
		if diff := cmp.Diff(was.String(), l.stored(t, id).String()); diff != "" {
			t.Errorf("a document that can't be converted (-before +after):\n%s", diff)
		}
	}
	for _, st := range legacyChanges() {
		st.run(t, s, ids)
	}
	s.end(t)
	for _, e := range s.toldTypes() {
		if e == "OrderCreated" {
			t.Error("a migrated order is told of as a new one")
		}
	}
}

// TestMigrateBesideChanges migrates while two services change the same orders.
func TestMigrateBesideChanges(t *testing.T) {
	const n, writers = 1_200, 6
	documents := make([]bson.D, n)
	for i := range documents {
		documents[i] = legacyOrder(i, "PENDING", 12.5)
	}
	l := newLegacy(t, documents...)
	services := []*service{l.start(t), l.start(t)}
	var changes sync.WaitGroup
	begun, ended := make(chan struct{}), make(chan struct{}) // the first changes, the migrations
	for w := range writers {
		changes.Go(func() {
			for i := w; i < n; i += writers {
				if i > 3*n/4 { // so that there is something left to migrate, however slowly that begins
					<-ended
				}
				body := strings.NewReader(`{"status": "PAID", "metadata": {"till": "7"}}`)
				path := "/orders/" + legacyID(n-1-i).Hex() // from the end that the migration comes to last
				a, err := services[w%2].try(t.Context(), http.MethodPatch, path, nil, body)
				if err != nil || a.status != http.StatusOK {
					t.Errorf("PATCH %s: %d, %v\n%s", path, a.status, err, a.body)
					return
				}
				if i == writers*10 {
					close(begun)
				}
			}
		})
	}
	<-begun
	commands := []*command{l.begins(t, "mongo", "migrate"), l.begins(t, "mongo", "migrate")}
	migrated := 0
	for _, c := range commands {
		c.end(t, cli.ExitOK)
		report := c.out.String()
		mine := figure(t, report, "orders migrated")
		if done := mine + figure(t, report, "orders there already"); done != n || c.complaints() != "" {
			t.Errorf("%d of %d orders:\n%s%s", done, n, report, c.err.String())
		}
		migrated += mine
	}
	close(ended)
	if migrated == 0 || migrated == n {
		t.Errorf("%d orders of %d are migrated: these were not at the same time", migrated, n)
	}
	changes.Wait()
	for row := range bytes.Lines(services[0].get(t, "/orders/export?format=ndjson")) {
		if diff := differ(t, `{"status": "PAID", "version": 2, "metadata": {"till": "7"}}`, row, true); diff != "" {
			t.Errorf("an order (-want +got):\n%s", diff)
		}
	}
	if left, err := l.orders.CountDocuments(t.Context(), bson.D{{Key: "form", Value: nil}}); err != nil || left != 0 {
		t.Errorf("%d documents are left, %v", left, err)
	}
	services[0].awaitDeliveries(t, "waiting", 0) // of either: a stop leaves to the next start what has not begun
	told := 0
	for _, s := range services {
		s.untold = true // of what the other was asked
		s.end(t)
		told += len(s.toldTypes())
	}
	if want := 3 * n; told != want { // that it was paid, its status and its metadata
		t.Errorf("%d events were told, not %d", told, want)
	}
}

// TestMigrateIsInterrupted stops a migration with Ctrl-C, and runs it again.
func TestMigrateIsInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process can't be sent Ctrl-C there")
	}
	const n = 4_000
	documents := make([]bson.D, n)
	for i := range documents {
		documents[i] = legacyOrder(i, "PAID", 12.5)
	}
	l := newLegacy(t, documents...)
	network := l.on.network(t, l.dir)
	first := network.CutAfterSending(1, "OrderCreated") // in every order that is written
	c := l.begins(t, "mongo", "migrate")
	select {
	case <-first:
	case <-time.After(3 * patience):
		t.Fatal("nothing is migrated")
	}
	network.Delay(time.Minute) // it gets no further before it is told
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	network.Heal()
	c.end(t, cli.ExitFailure)
	const says = "orders: the migration did not finish; run it again, and it goes on: it was stopped\n"
	if !strings.HasSuffix(c.err.String(), says) {
		t.Errorf("it says %q", c.err.String())
	}
	migrated, err := l.orders.CountDocuments(t.Context(), bson.D{{Key: "form", Value: 1}})
	if err != nil || migrated == 0 || migrated == n {
		t.Errorf("%d orders of %d are migrated, %v", migrated, n, err)
	}
	if there := figure(t, c.out.String(), "orders migrated"); int64(there) != migrated {
		t.Errorf("%d orders are migrated; the report says\n%s", migrated, c.out.String())
	}
	second := l.migrates(t)
	if figure(t, second, "orders migrated") != n-int(migrated) || figure(t, second, "orders there already") != int(migrated) {
		t.Errorf("then the report says\n%s", second)
	}
}
