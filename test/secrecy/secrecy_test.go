package secrecy_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/process"
	"order-processing-service/test/secrecy"
)

// headers are those that clients, proxies and browsers send, and the service reads or passes over.
var headers = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers", "Access-Control-Request-Method", "Authorization", "Baggage",
	"Content-Encoding", "Content-Language", "Content-Type", "Cookie", "Expect", "Forwarded", "From", "Host", "Idempotency-Key", "If-Match",
	"If-Modified-Since", "If-None-Match", "Origin", "Proxy-Authorization", "Range", "Referer", "Te", "Traceparent", "Tracestate", "Upgrade",
	"User-Agent", "Via", "X-Amz-Security-Token", "X-Amzn-Trace-Id", "X-Api-Key", "X-Correlation-Id", "X-Forwarded-For", "X-Forwarded-Host",
	"X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Http-Method-Override", "X-Real-Ip", "X-Request-Id",
}

// place is an order to begin with.
var place = secrecy.Request{
	Method: http.MethodPost, Path: "/orders", Header: map[string]string{"Content-Type": "application/json", "Idempotency-Key": "first"},
	Body: `{"customer_id":"c-1","items":[{"sku":"TEA","quantity":1,"unit_price":1}]}`,
}

// callers are the headers of those who call, and the settings with which they are known.
type callers struct {
	settings                      map[string]string
	admin, reader, customer, keys map[string]string
	keysFile, publicFile          string
}

func newCallers(t *testing.T, m *secrecy.Markers, dir string) callers {
	t.Helper()
	data := filepath.Join(dir, "data")
	t.Setenv("JWT_CUSTOMER_CLAIM", "customer")
	token := func(arguments ...string) map[string]string {
		out, _ := orders(t, cli.ExitOK, append([]string{"token", "--data-dir", data}, arguments...)...)
		return map[string]string{"Authorization": "Bearer " + strings.TrimSpace(out)}
	}
	own := []string{"--customer", m.Text("customer in a token"), "--scope", "orders:read"}
	c := callers{
		admin:    token("--subject", m.Text("subject of an admin"), "--scope", "orders:admin"),
		reader:   token(append(own, "--subject", m.Text("subject of a reader"))...),
		customer: token(append(own, "--subject", m.Text("subject of a customer"), "--scope", "orders:write")...),
		keysFile: filepath.Join(dir, "keys.json"), publicFile: filepath.Join(data, "dev-token.pub.pem"),
	}
	out, _ := orders(t, cli.ExitOK, "keys", "new", "--name", m.Text("name of a key"), "--scope", "orders:admin")
	found := regexp.MustCompile(`(?s)(orders_\S+).*?(\{.*\})`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("there is no key in %s", out)
	}
	c.keys = map[string]string{"X-Api-Key": found[1]}
	write(t, c.keysFile, "["+found[2]+"]")
	c.settings = map[string]string{
		"AUTH": "jwt", "JWT_PUBLIC_KEY_FILE": c.publicFile, "JWT_ISSUER": "orders-dev", "JWT_AUDIENCE": "orders", "JWT_CUSTOMER_CLAIM": "customer",
		"API_KEYS_FILE": c.keysFile,
	}
	return c
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// plant sends everything that a client may send with a marker somewhere in it. The caller may do all.
func (s *service) plant(t *testing.T, c *secrecy.Contract, who callers, path map[string]string) {
	t.Helper()
	for _, r := range c.Requests(path, headers) {
		s.ask(t, r, who.admin)
		if r.Place == "" {
			for _, header := range []map[string]string{
				nil, who.reader, who.customer, who.keys,
				{"Authorization": "Bearer " + s.markers.Text("a token that is none")},
				{"Authorization": "Bearer " + who.admin["Authorization"][len("Bearer "):] + s.markers.Text("a token with more behind it")},
				{"Authorization": "Basic " + s.markers.Text("a password")},
				{"X-Api-Key": "orders_" + s.markers.Text("an unknown API key")},
				{"X-Api-Key": who.keys["X-Api-Key"], "Authorization": who.admin["Authorization"]},
			} {
				s.ask(t, r, header)
			}
		}
	}
	for _, method := range []string{"PUT", "DELETE", "OPTIONS", strings.ToUpper(s.markers.Text("a method"))} {
		for _, path := range []string{"/orders", "/orders/" + s.markers.Text("a path"), "/docs/" + s.markers.Text("a file"), "/" + s.markers.Text("nothing")} {
			s.ask(t, secrecy.Request{Method: method, Path: path, Place: path}, who.admin)
		}
	}
}

// unreadable are requests that never reach a handler, and what is no request.
func unreadable(m *secrecy.Markers) []string {
	marker := func(place string) string { return m.Text("unreadable: " + place) }
	host := "Host: orders\r\n"
	return []string{
		marker("no request") + "\r\n\r\n",
		"GET /" + marker("path, version") + " " + marker("version") + "\r\n" + host + "\r\n",
		"GET / HTTP/1.1\r\n" + host + marker("no colon") + "\r\n\r\n",
		"GET / HTTP/1.1\r\n" + host + marker("space before the colon") + " : x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + marker("two hosts") + "\r\nHost: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + marker("a host that is none") + "/@\r\n\r\n",
		"GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat(marker("a long header"), 8000) + "\r\n\r\n",
		"GET /" + strings.Repeat(marker("a long path"), 8000) + " HTTP/1.1\r\n" + host + "\r\n",
		"POST /orders HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: " + marker("a length") + "\r\n\r\nhello",
		"POST /orders HTTP/1.1\r\n" + host + "Transfer-Encoding: " + marker("a coding") + "\r\n\r\n",
		"POST /orders HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + marker("a chunk") + "\r\n",
		"POST /orders HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"customer_id\":\"" + marker("half a body"),
		"GET / HTTP/1.1\r\n" + host + "Expect: " + marker("an expectation") + "\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + marker("a frame"),
		"\x16\x03\x01\x00\xa5" + marker("a TLS record"),
	}
}

// ownIDs are the ids that callers give their requests so as to find them in the log.
var ownIDs = regexp.MustCompile(`"request_id":"[^"]*"`)

// TestServiceKeepsQuiet plants a marker in whatever a client, an operator and the settings can give the service, and reads all
// that it writes until it has stopped.
func TestServiceKeepsQuiet(t *testing.T) {
	m, dir := new(secrecy.Markers), t.TempDir()
	who := newCallers(t, m, dir)
	settings := maps.Clone(who.settings)
	settings["MONGO_PASSWORD_FILE"] = filepath.Join(dir, "password")
	settings["MONGO_PASSWORD"] = ""
	settings["OTEL_EXPORTER_OTLP_ENDPOINT"], settings["OTEL_METRIC_EXPORT_INTERVAL"] = "http://127.0.0.1:1", "100" // where nobody takes the headers
	write(t, settings["MONGO_PASSWORD_FILE"], m.Text("a file of MONGO_PASSWORD"))
	write(t, filepath.Join(dir, ".env"), "ORDERS_API_KEYS="+m.Text("a misspelled setting")+"\nSTORE_QUEUE_SIZE=64\nOTHER="+m.Text("another program's")+"\n")
	s := start(t, m, dir, settings)
	id := s.place(t, who.admin)
	contract := s.contract(t)
	s.plant(t, contract, who, map[string]string{"order_id": id, "subscriber": "events"})
	for _, text := range unreadable(m) {
		say(t, s.URL(), text)
		say(t, s.admin(t), text)
	}
	for _, path := range []string{"/", "/health/", "/debug/pprof/", "/debug/pprof/cmdline?", "/metrics?"} {
		say(t, s.admin(t), "GET "+path+m.Text("a path of the admin address")+" HTTP/1.1\r\nHost: "+m.Text("its host")+"\r\nOrigin: "+
			m.Text("an origin")+"\r\nConnection: close\r\n\r\n")
	}
	for file, header := range map[string]map[string]string{who.keysFile: who.keys, who.publicFile: who.admin} {
		write(t, file, `[{"sha256":"`+m.Text("a damaged file of keys")+`"`)
		process.Await(t, "a look at "+file, func() bool { // which a caller brings about
			s.ask(t, secrecy.Request{Method: http.MethodGet, Path: "/orders"}, header)
			return s.hasWritten(t, file)
		})
	}
	s.Stop(t)
	keepsQuiet(t, m, ownIDs.ReplaceAllString(s.written(t), ""), nil)
	for _, status := range []int{200, 201, 202, 400, 401, 403, 404, 405, 412, 413, 415, 422} {
		if s.statuses[status] == 0 {
			t.Errorf("nothing was answered %d; answers: %v", status, s.statuses)
		}
	}
}

// place places an order and returns its id.
func (s *service) place(t *testing.T, header map[string]string) string {
	t.Helper()
	if status := s.ask(t, place, header); status != http.StatusCreated {
		t.Fatalf("an order is answered %d", status)
	}
	request := place
	var found struct{ ID string }
	s.read(t, request, header, &found)
	return found.ID
}

// TestSimulationAloneTells has everything told, and refused by what stands in for S3: customers' data is in the lines of
// simulated calls and nowhere else.
func TestSimulationAloneTells(t *testing.T) {
	m, dir := new(secrecy.Markers), t.TempDir()
	who := newCallers(t, m, dir)
	write(t, filepath.Join(dir, "data", "s3", "orders-manifest"), "a file where a folder should be")
	settings := maps.Clone(who.settings)
	maps.Copy(settings, map[string]string{
		"EVENTS": "simulated", "MANIFESTS": "simulated", "DELIVERY_MAX_ATTEMPTS": "2", "DELIVERY_BACKOFF_MIN": "1ms", "MAX_CONCURRENT_REQUESTS": "64",
	})
	s := start(t, m, dir, settings)
	id := s.place(t, who.admin)
	s.wrote(t, "Delivery parked")
	contract := s.contract(t)
	s.plant(t, contract, who, map[string]string{"order_id": id, "subscriber": "manifests"})
	for _, r := range contract.Requests(map[string]string{"order_id": id, "subscriber": "manifests"}, nil) {
		if r.Place != "" || !strings.HasPrefix(r.Path, "/deliveries/"+id) {
			continue
		}
		process.Await(t, r.Operation, func() bool { // while it is told it can be neither sent again nor skipped
			return s.ask(t, r, who.admin) < http.StatusBadRequest
		})
	}
	for _, operation := range contract.Operations() {
		if s.best[operation] >= http.StatusBadRequest {
			t.Errorf("%s never did anything: the best that it answered is %d", operation, s.best[operation])
		}
	}
	s.Stop(t)
	all := s.written(t)
	simulated := regexp.MustCompile(`"message":"Simulated AWS call"`)
	keepsQuiet(t, m, ownIDs.ReplaceAllString(all, ""), simulated)
	if !slices.ContainsFunc(m.Seen(all), func(s secrecy.Sighting) bool { return strings.Contains(s.Place, "customer_id") }) {
		t.Error("no customer is in the simulated calls: did the events reach the log?")
	}
}

// TestSubjectStandsAlone logs the caller as it is, in its own member of the lines.
func TestSubjectStandsAlone(t *testing.T) {
	m, dir := new(secrecy.Markers), t.TempDir()
	who := newCallers(t, m, dir)
	settings := maps.Clone(who.settings)
	settings["LOG_SUBJECT"], settings["RATE_LIMIT"] = "plain", "100/m:50"
	s := start(t, m, dir, settings)
	s.plant(t, s.contract(t), who, map[string]string{"order_id": "6743f1a0c2d4e6f801234567", "subscriber": "events"})
	s.Stop(t)
	subject := regexp.MustCompile(`"subject":"(key:)?[a-z0-9]+"`)
	all := s.written(t)
	keepsQuiet(t, m, ownIDs.ReplaceAllString(subject.ReplaceAllString(all, ""), ""), nil)
	if !subject.MatchString(all) || s.statuses[http.StatusTooManyRequests] == 0 {
		t.Errorf("no subject was logged, or nobody was turned away: %v", s.statuses)
	}
}

// TestStoreAwayKeepsQuiet has a connection string with a password for a server that is not there.
func TestStoreAwayKeepsQuiet(t *testing.T) {
	for _, name := range []string{"MONGO_URI", "MONGO_URI_FILE", "MONGO_PASSWORD"} {
		t.Run(name, func(t *testing.T) {
			m, dir := new(secrecy.Markers), t.TempDir()
			who := newCallers(t, m, dir)
			settings := maps.Clone(who.settings)
			uri := fmt.Sprintf("mongodb://%s:%s@127.0.0.1:1,127.0.0.1:2/orders_db?appName=x&authSource=admin", m.Text("user of MongoDB"), m.Text("password of MongoDB"))
			settings["MONGO_TIMEOUT"] = "100ms"
			switch name {
			case "MONGO_URI":
				settings[name] = uri
			case "MONGO_URI_FILE":
				settings[name] = filepath.Join(dir, "uri")
				write(t, settings[name], uri+"\n")
			default:
				settings["MONGO_HOST"], settings["MONGO_PORT"], settings["MONGO_USER"] = "127.0.0.1", "1", m.Text("MONGO_USER")
			}
			s := start(t, m, dir, settings)
			for _, r := range s.contract(t).Requests(map[string]string{"order_id": "6743f1a0c2d4e6f801234567", "subscriber": "events"}, nil) {
				if r.Place == "" {
					s.ask(t, r, who.admin)
				}
			}
			s.Stop(t)
			keepsQuiet(t, m, s.written(t), nil)
			if s.statuses[http.StatusServiceUnavailable] == 0 {
				t.Errorf("nothing was answered 503: %v", s.statuses)
			}
		})
	}
}
