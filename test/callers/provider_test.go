package callers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"order-processing-service/test/proxy"
)

// provider is an identity provider: it serves its discovery document and its keys over HTTPS with a certificate of an
// authority of its own, and signs tokens.
type provider struct {
	url    string
	caFile string
	cert   tls.Certificate
	server *httptest.Server
	// What stands in front of it, and stays there while it is away.
	network *proxy.Proxy

	mu        sync.Mutex
	published []key
	signing   key
	broken    bool          // it answers with errors
	asked     atomic.Int64  // for its keys
	served    chan struct{} // gets something with each set of keys served
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{served: make(chan struct{}, 1000)}
	p.certify(t)
	p.signing = newEC(t, "key-0", elliptic.P256())
	p.published = []key{p.signing}
	p.open(t)
	p.network = proxy.Start(t, p.server.Listener.Addr().String())
	p.url = "https://" + p.network.Addr()
	return p
}

// certify makes an authority and a certificate of it.
func (p *provider) certify(t *testing.T) {
	t.Helper()
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, authority.Public(), authority)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, leaf, ca, own.Public(), authority)
	if err != nil {
		t.Fatal(err)
	}
	p.cert = tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: own}
	p.caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(p.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// open begins to serve.
func (p *provider) open(t *testing.T) {
	t.Helper()
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	p.server.TLS = &tls.Config{Certificates: []tls.Certificate{p.cert}, MinVersion: tls.VersionTLS12}
	p.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		_, _ = w.Write(encoded(object{
			"issuer": p.url, "jwks_uri": p.url + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
		}))
	case "/keys":
		p.asked.Add(1)
		if p.broken {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		var all []map[string]any
		for _, k := range p.published {
			all = append(all, k.jwk())
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(jwks(all...))
		select {
		case p.served <- struct{}{}:
		default:
		}
	default:
		http.NotFound(w, r)
	}
}

// set changes what the provider does.
func (p *provider) set(change func(*provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// token is a good token of the provider, with the key that it signs with now.
func (p *provider) token() string {
	p.mu.Lock()
	k := p.signing
	p.mu.Unlock()
	return k.token("ES256", object{"iss": p.url})
}

// discover reads the discovery document, as an operator does.
func (p *provider) discover(t *testing.T) (issuer, keys string) {
	t.Helper()
	client := p.server.Client()
	roots := x509.NewCertPool()
	text, err := os.ReadFile(p.caFile)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatal("no authority")
	}
	client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/.well-known/openid-configuration", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var document struct {
		Issuer string
		Keys   string `json:"jwks_uri"`
	}
	if text, err = io.ReadAll(response.Body); err == nil {
		err = json.Unmarshal(text, &document)
	}
	if err != nil {
		t.Fatal(err)
	}
	return document.Issuer, document.Keys
}

func (p *provider) startService(t *testing.T, settings ...string) *service {
	t.Helper()
	issuer, keys := p.discover(t)
	return start(t, append([]string{
		"AUTH=jwt", "JWT_ISSUER=" + issuer, "JWT_AUDIENCE=" + audience, "JWT_JWKS_URL=" + keys, "JWT_JWKS_CA_FILE=" + p.caFile,
	}, settings...)...)
}

// load sends good tokens until stop, which returns how many were sent, at least 100 unless that takes too long, and what was refused.
func (p *provider) load(t *testing.T, s *service) (stop func() (sent int64, refused []string)) {
	t.Helper()
	const least = 100
	var over atomic.Bool
	var sent atomic.Int64
	enough := make(chan struct{})
	var mu sync.Mutex
	var refused []string
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for !over.Load() {
				token := p.token()
				a := s.get(t, token)
				if sent.Add(1) == least {
					close(enough)
				}
				if a.status != http.StatusOK {
					mu.Lock()
					refused = append(refused, fmt.Sprint(a.status, a.body))
					mu.Unlock()
				}
			}
		})
	}
	return func() (int64, []string) {
		select {
		case <-enough:
		case <-time.After(patience): // the test has how many were sent
		}
		over.Store(true)
		group.Wait()
		return sent.Load(), refused
	}
}

// TestRotation changes the provider's key under load, without telling the service before: the first token with the new
// key makes it look.
func TestRotation(t *testing.T) {
	p := newProvider(t)
	s := p.startService(t, "JWT_JWKS_REFRESH=24h")
	stop := p.load(t, s)
	eventually(t, "tokens are taken", func() bool { return s.get(t, p.token()).status == http.StatusOK })
	next := newRSA(t, "key-1", 2048)
	p.set(func(p *provider) { p.published = append(p.published, next) })
	old := p.token()
	fresh := next.token("PS256", object{"iss": p.url})
	for range 50 { // well within the minute in which nobody asks again
		if a := s.get(t, fresh); a.status != http.StatusOK {
			t.Fatalf("a token with the new key: %d %s", a.status, a.body)
		}
		if a := s.get(t, old); a.status != http.StatusOK {
			t.Fatalf("a token with the old key: %d %s", a.status, a.body)
		}
	}
	if sent, refused := stop(); len(refused) > 0 || sent < 100 {
		t.Errorf("of %d good tokens these were refused: %v", sent, refused)
	}
	if asked := p.asked.Load(); asked != 2 {
		t.Errorf("the provider was asked %d times, not at the start and once more", asked)
	}

	// The old key is taken back: tokens of both unknown kinds ask no more within the minute, and who has the old key is
	// let in until the next look.
	for i := range 50 {
		stranger := key{fmt.Sprintf("who-%d", i), next.signer}
		if a := s.get(t, stranger.token("PS256", object{"iss": p.url})); a.status != http.StatusUnauthorized {
			t.Fatalf("an unknown key: %d", a.status)
		}
	}
	if asked := p.asked.Load(); asked != 2 {
		t.Errorf("unknown keys had the provider asked %d times more", asked-2)
	}
}

// TestRotations changes keys again and again under load, each published before it signs, and the old one taken away.
func TestRotations(t *testing.T) {
	p := newProvider(t)
	s := p.startService(t, "JWT_JWKS_REFRESH=1s")
	stop := p.load(t, s)
	for i := range 3 {
		next := newEC(t, fmt.Sprintf("key-%d", i+1), elliptic.P256())
		p.set(func(p *provider) { p.published = append(p.published, next) })
		fetched(t, p)
		p.set(func(p *provider) { p.signing = next })
	}
	if sent, refused := stop(); len(refused) > 0 || sent < 100 {
		t.Errorf("of %d good tokens these were refused: %v", sent, refused)
	}
	stale := p.published[0].token("ES256", object{"iss": p.url})
	p.set(func(p *provider) { p.published = p.published[len(p.published)-1:] })
	fetched(t, p)
	eventually(t, "a key that was taken back is refused", func() bool { return s.get(t, stale).status == http.StatusUnauthorized })
	if a := s.get(t, p.token()); a.status != http.StatusOK {
		t.Errorf("the last key: %d %s", a.status, a.body)
	}
}

// fetched waits until the service has keys that were served after this was called.
func fetched(t *testing.T, p *provider) {
	t.Helper()
	for len(p.served) > 0 {
		<-p.served
	}
	for range 2 { // when the second look begins, the first one is in force
		select {
		case <-p.served:
		case <-time.After(patience):
			t.Fatal("the service does not look for keys")
		}
	}
}

// TestOutage takes the provider away in several ways: who has a token with a known key is let in all the time.
func TestOutage(t *testing.T) {
	p := newProvider(t)
	s := p.startService(t, "JWT_JWKS_REFRESH=1s")
	stop := p.load(t, s)
	next := newEC(t, "key-1", elliptic.P256())
	fresh := next.token("ES256", object{"iss": p.url})

	p.set(func(p *provider) { p.broken = true })
	eventually(t, "the log tells that the provider answers with errors", func() bool {
		return strings.Contains(s.out.String(), "the provider answers 502")
	})
	p.network.Cut()
	if a := s.get(t, fresh); a.status != http.StatusUnauthorized {
		t.Errorf("a key that nobody could ask for: %d %s", a.status, a.body)
	}
	p.set(func(p *provider) { p.broken, p.published = false, append(p.published, next) })
	p.network.Heal()
	eventually(t, "the new key is known after the outage", func() bool { return s.get(t, fresh).status == http.StatusOK })
	eventually(t, "the log tells that the keys are there again", func() bool { return strings.Contains(s.out.String(), "are there again") })
	if sent, refused := stop(); len(refused) > 0 || sent < 100 {
		t.Errorf("of %d good tokens these were refused: %v", sent, refused)
	}
}

// TestStartWithoutProvider starts while the provider is away: nobody is let in, until it is there.
func TestStartWithoutProvider(t *testing.T) {
	p := newProvider(t)
	issuer, keys := p.discover(t)
	p.network.Cut()
	s := start(t, "AUTH=jwt", "JWT_ISSUER="+issuer, "JWT_AUDIENCE="+audience, "JWT_JWKS_URL="+keys, "JWT_JWKS_CA_FILE="+p.caFile)
	if a := s.get(t, p.token()); a.status != http.StatusServiceUnavailable || a.code != "keys_unavailable" {
		t.Errorf("without keys: %d %s", a.status, a.body)
	}
	if a := s.send(t, "GET", "/health/ready", ""); a.status != http.StatusOK {
		t.Errorf("health: %d", a.status)
	}
	p.network.Heal()
	eventually(t, "the keys are there", func() bool { return s.get(t, p.token()).status == http.StatusOK })
}

// Keys that come from somebody else, or over a redirect, are none.
func TestUntrustedProvider(t *testing.T) {
	p := newProvider(t)
	issuer, keys := p.discover(t)
	redirect := httptest.NewServer(http.RedirectHandler(keys, http.StatusFound))
	defer redirect.Close()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	for name, settings := range map[string][]string{
		"an unknown authority": {"JWT_JWKS_URL=" + keys},
		"a redirect":           {"JWT_JWKS_URL=" + redirect.URL},
		"no keys":              {"JWT_JWKS_URL=" + p.url + "/.well-known/openid-configuration", "JWT_JWKS_CA_FILE=" + p.caFile},
		"an endless answer":    {"JWT_JWKS_URL=" + endless.URL},
	} {
		s := start(t, append(settings, "AUTH=jwt", "JWT_ISSUER="+issuer, "JWT_AUDIENCE="+audience)...)
		if a := s.get(t, p.token()); a.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if !strings.Contains(s.out.String(), "No keys to check tokens with") {
			t.Errorf("%s: the log does not tell:\n%s", name, s.out)
		}
	}
}
