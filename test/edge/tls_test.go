package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/authority"
	"order-processing-service/test/program"
)

// secured starts the program with a certificate of the authority.
func secured(t *testing.T, ca *authority.Authority, more settings) (p *program.Program, dir string) {
	t.Helper()
	dir = t.TempDir()
	cert, key := ca.Server(t).Write(t, dir)
	all := settings{"TLS_CERT_FILE": cert, "TLS_KEY_FILE": key}
	maps.Copy(all, more)
	return program.Start(t, t.TempDir(), all), dir
}

func TestTLS(t *testing.T) {
	ca := authority.New(t)
	p, _ := secured(t, ca, nil)
	if !strings.HasPrefix(p.URL, "https://127.0.0.1:") {
		t.Fatalf("the service is at %s", p.URL)
	}
	for _, version := range []int{1, 2} {
		config := &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}
		c := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: version == 2}}
		t.Cleanup(c.CloseIdleConnections)
		response, _ := get(t, c, p.URL+"/orders", nil)
		if response.ProtoMajor != version || response.StatusCode != http.StatusOK ||
			response.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
			t.Errorf("HTTP/%d: %s %s %v", version, response.Proto, response.Status, response.Header)
		}
	}
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		config := &tls.Config{RootCAs: ca.Pool(), MinVersion: version, MaxVersion: version}
		conn, err := new(tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", address(p))
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}

	// What is no TLS is told so, and what is no request inside it is a problem like all others.
	plain, text := read(t, bufio.NewReader(dial(t, p, "", "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n")))
	if plain.StatusCode != http.StatusBadRequest || text != "this port takes https:// addresses\n" {
		t.Errorf("without TLS: %s %q", plain.Status, text)
	}
	if n := ended(t, dial(t, p, "", "\x16\x03\x01nonsense")); n > 100 {
		t.Errorf("%d bytes for nonsense", n)
	}
	inside := tls.Client(dial(t, p, "", ""), &tls.Config{RootCAs: ca.Pool(), ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12})
	if _, err := io.WriteString(inside, "hello\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	unread, text := read(t, bufio.NewReader(inside))
	if unread.StatusCode != http.StatusBadRequest || !strings.Contains(text, "request_malformed") ||
		unread.Header.Get("Content-Security-Policy") == "" || unread.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("no request: %s %v %s", unread.Status, unread.Header, text)
	}
	if log := p.Log.String(); strings.Contains(log, "handshake") || strings.Contains(log, "PRIVATE") {
		t.Errorf("strangers fill the log: %s", log)
	}
}

// TestRenewalUnderLoad changes the certificate while requests go on: none fails, no connection is dropped, and new connections
// get the new one.
func TestRenewalUnderLoad(t *testing.T) {
	ca := authority.New(t)
	p, dir := secured(t, ca, nil)
	config := &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}
	shown := func() []byte {
		conn, err := new(tls.Dialer{Config: config}).DialContext(context.Background(), "tcp", address(p))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		secure, ok := conn.(*tls.Conn)
		if !ok {
			t.Fatalf("a %T", conn)
		}
		return secure.ConnectionState().PeerCertificates[0].Raw
	}
	first := shown()

	var dials, asked atomic.Int64
	transport := &http.Transport{TLSClientConfig: config, MaxConnsPerHost: 4, MaxIdleConnsPerHost: 4, DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, to)
	}}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: patience}
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				response, err := c.Get(p.URL + "/orders") //nolint:noctx // the client has a timeout
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				asked.Add(1)
			}
		})
	}
	second := ca.Server(t)
	authority.Replace(t, filepath.Join(dir, "key.pem"), second.Key) // no pair, for now
	await(t, p, "the TLS certificate can't be renewed; the one in use stays")
	if !bytes.Equal(shown(), first) {
		t.Error("a bad pair changed something")
	}
	authority.Replace(t, filepath.Join(dir, "cert.pem"), second.Cert)
	await(t, p, "TLS certificate renewed")
	if !bytes.Equal(shown(), second.TLS(t).Leaf.Raw) {
		t.Error("new connections do not get the new certificate")
	}
	close(stop)
	all.Wait()
	if dials.Load() > 4 || asked.Load() == 0 {
		t.Errorf("%d connections for %d requests of 4 clients: some were dropped", dials.Load(), asked.Load())
	}
}

func TestClientCertificates(t *testing.T) {
	ca, clients := authority.New(t), authority.New(t)
	authorities := filepath.Join(t.TempDir(), "clients.pem")
	authority.Replace(t, authorities, clients.PEM())
	p, dir := secured(t, ca, settings{"TLS_CLIENT_CA_FILE": authorities})
	with := func(shown ...tls.Certificate) *http.Client {
		return client(t, &tls.Config{RootCAs: ca.Pool(), Certificates: shown, MinVersion: tls.VersionTLS12})
	}
	if response, _ := get(t, with(clients.Client(t, 0)), p.URL+"/orders", nil); response.StatusCode != http.StatusOK {
		t.Errorf("a right one: %s", response.Status)
	}
	for name, shown := range map[string][]tls.Certificate{"none": nil, "another authority's": {ca.Client(t, 0)}, "an old one": {clients.Client(t, 48*time.Hour)}} {
		response, err := with(shown...).Get(p.URL + "/health") //nolint:noctx // the client has a timeout
		if err == nil {
			response.Body.Close()
			t.Errorf("%s: %s", name, response.Status)
		}
	}
	healthcheck(t, p, dir, settings{"TLS_CLIENT_CA_FILE": authorities}, cli.ExitOK, "")
}

// healthcheck runs orders healthcheck with the settings of a program, whose certificate is in dir.
func healthcheck(t *testing.T, p *program.Program, dir string, more settings, code int, complaint string) {
	t.Helper()
	_, port, err := net.SplitHostPort(address(p))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PORT", port)
	t.Setenv("HOST", "127.0.0.1")
	t.Setenv("TLS_CERT_FILE", filepath.Join(dir, "cert.pem"))
	t.Setenv("TLS_KEY_FILE", filepath.Join(dir, "key.pem"))
	for name, value := range more {
		t.Setenv(name, value)
	}
	var out, errs bytes.Buffer
	got := cli.Run(t.Context(), bootstrap.Commands(), []string{"healthcheck", "--timeout", "30s"}, cli.Streams{Out: &out, Err: &errs})
	if got != code || !strings.Contains(errs.String(), complaint) || strings.Count(errs.String(), "\n") > 1 {
		t.Errorf("orders healthcheck ended with %d: %s%s", got, &out, &errs)
	}
}

// TestHealthcheckOfSelfSigned believes the very certificate that the settings name, and no other.
func TestHealthcheckOfSelfSigned(t *testing.T) {
	dir := t.TempDir()
	cert, key := authority.SelfSigned(t).Write(t, dir)
	p := program.Start(t, t.TempDir(), settings{"TLS_CERT_FILE": cert, "TLS_KEY_FILE": key})
	healthcheck(t, p, dir, nil, cli.ExitOK, "")
	other := t.TempDir()
	authority.SelfSigned(t).Write(t, other)
	healthcheck(t, p, other, nil, cli.ExitFailure, "the certificate there is not the one in TLS_CERT_FILE "+other)
	healthcheck(t, p, filepath.Join(other, "none"), nil, cli.ExitUsage, "can't be read")
}

func TestStartWithABadPair(t *testing.T) {
	dir := t.TempDir()
	cert, _ := authority.SelfSigned(t).Write(t, dir)
	_, key := authority.SelfSigned(t).Write(t, t.TempDir())
	err := bootstrap.Commands().Serve(t.Context(), cli.Streams{Out: io.Discard, Err: io.Discard}, cli.ServeOptions{Overrides: settings{
		"PORT": "0", "DATA_DIR": t.TempDir(), "ADMIN_ADDR": "off", "TLS_CERT_FILE": cert, "TLS_KEY_FILE": key,
	}})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "TLS_CERT_FILE "+cert+" and TLS_KEY_FILE "+key+" are no pair") {
		t.Errorf("the start ended with %v", err)
	}
}
