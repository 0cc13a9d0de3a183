package certificates_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/infrastructure/certificates"
	"order-processing-service/test/authority"
)

// opened writes a pair, opens it, and listens with it.
func opened(t *testing.T, pair authority.Pair, clientCA []byte) (*certificates.Certificates, certificates.Files, net.Listener, *bytes.Buffer) {
	t.Helper()
	dir, log := t.TempDir(), new(bytes.Buffer)
	var files certificates.Files
	files.Cert, files.Key = pair.Write(t, dir)
	if clientCA != nil {
		files.ClientCA = filepath.Join(dir, "ca.pem")
		authority.Replace(t, files.ClientCA, clientCA)
	}
	c, err := certificates.Open(files, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", c.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go echo(listener)
	return c, files, listener, log
}

// echo sends back what comes.
func echo(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		}()
	}
}

// connect says hello over a new connection, and returns it.
func connect(t *testing.T, listener net.Listener, client *tls.Config) (*tls.Conn, error) {
	t.Helper()
	conn, err := new(tls.Dialer{Config: client}).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	secure, ok := conn.(*tls.Conn)
	if !ok {
		t.Fatalf("a %T", conn)
	}
	return secure, hello(secure)
}

func hello(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "hello"); err != nil {
		return err
	}
	got := make([]byte, 5)
	_, err := io.ReadFull(conn, got)
	return err
}

func leaf(conn *tls.Conn) []byte { return conn.ConnectionState().PeerCertificates[0].Raw }

func TestRenewal(t *testing.T) {
	ca := authority.New(t)
	first, second := ca.Server(t), ca.Server(t)
	c, files, listener, log := opened(t, first, nil)
	trusting := &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}
	before, err := connect(t, listener, trusting)
	if err != nil {
		t.Fatal(err)
	}

	if err := c.Renew(t.Context()); err != nil || log.Len() > 0 {
		t.Fatalf("nothing changed, but: %v, %s", err, log)
	}
	authority.Replace(t, files.Key, second.Key) // the certificate is still on its way
	for range 3 {
		if err := c.Renew(t.Context()); err != nil && !strings.Contains(err.Error(), files.Key) {
			t.Errorf("the error does not name the file: %v", err)
		}
	}
	if lines := log.String(); strings.Count(lines, "\n") != 1 || !strings.Contains(lines, `"WARN"`) || strings.Contains(lines, "PRIVATE") {
		t.Errorf("a bad pair is told as: %s", lines)
	}
	between, err := connect(t, listener, trusting)
	if err != nil || !bytes.Equal(leaf(between), leaf(before)) {
		t.Errorf("with a bad pair: %v", err)
	}
	authority.Replace(t, files.Cert, second.Cert)
	if err := c.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := connect(t, listener, trusting)
	if err != nil || !bytes.Equal(leaf(after), second.TLS(t).Leaf.Raw) {
		t.Errorf("after the renewal: %v", err)
	}
	if err := hello(before); err != nil {
		t.Errorf("an old connection was dropped: %v", err)
	}
	if err := os.Remove(files.Cert); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_ = c.Renew(t.Context())
	}
	if got := strings.Count(log.String(), "\n"); got != 3 { // bad, renewed, gone
		t.Errorf("%d lines: %s", got, log)
	}
	if _, err := connect(t, listener, trusting); err != nil {
		t.Errorf("without the file: %v", err)
	}
}

func TestClientCertificates(t *testing.T) {
	ca, other, clients := authority.New(t), authority.New(t), authority.New(t)
	pair := ca.Server(t)
	c, files, listener, _ := opened(t, pair, clients.PEM())
	with := func(shown ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: ca.Pool(), Certificates: shown, MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	}
	right := with(clients.Client(t, 0))
	own, err := certificates.Own(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		config *tls.Config
		ok     bool
	}{
		"of the authority":    {right, true},
		"none":                {with(), false},
		"of another":          {with(other.Client(t, 0)), false},
		"run out":             {with(clients.Client(t, 48*time.Hour)), false},
		"for a server":        {with(clients.Server(t).TLS(t)), false},
		"of the server's own": {with(ca.Client(t, 0)), false},
		"self-signed":         {with(authority.SelfSigned(t).TLS(t)), false},
		"the service's own":   {own, true},
	} {
		if _, err := connect(t, listener, tt.config); (err == nil) != tt.ok {
			t.Errorf("a certificate %s: %v", name, err)
		}
	}

	authority.Replace(t, files.ClientCA, other.PEM())
	if err := c.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, listener, right); err == nil {
		t.Error("an authority that is no longer there still counts")
	}
	if _, err := connect(t, listener, with(other.Client(t, 0))); err != nil {
		t.Errorf("a new authority does not count: %v", err)
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	ca := authority.New(t)
	pair := ca.Server(t)
	_, files, listener, _ := opened(t, pair, nil)
	if files.ClientCA != "" {
		t.Fatal("clients are asked for certificates")
	}
	for version, ok := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		_, err := connect(t, listener, &tls.Config{RootCAs: ca.Pool(), MinVersion: version, MaxVersion: version})
		if (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

func TestOwnTakesNoOther(t *testing.T) {
	pair := authority.SelfSigned(t)
	_, files, listener, _ := opened(t, pair, nil)
	config, err := certificates.Own(files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, listener, config); err != nil {
		t.Errorf("its own: %v", err)
	}
	authority.SelfSigned(t).Write(t, filepath.Dir(files.Cert))
	if config, err = certificates.Own(files); err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, listener, config); err == nil || !strings.Contains(err.Error(), "is not the one in TLS_CERT_FILE") {
		t.Errorf("another of the same name: %v", err)
	}
}

func TestWrongFiles(t *testing.T) {
	ca := authority.New(t)
	pair, other := ca.Server(t), ca.Server(t)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		authority.Replace(t, path, content)
		return path
	}
	cert, key := file("cert", pair.Cert), file("key", pair.Key)
	for want, files := range map[string]certificates.Files{
		"TLS_CERT_FILE " + dir + "/none can't be read (no such file or directory)": {Cert: dir + "/none", Key: key},
		"TLS_KEY_FILE " + dir + " can't be read":                                   {Cert: cert, Key: dir},
		"it is larger than 1048576 bytes":                                          {Cert: file("big", make([]byte, 1<<20+1)), Key: key},
		"are no pair (tls: private key does not match public key)":                 {Cert: cert, Key: file("other", other.Key)},
		"are no pair (tls: failed to find any PEM data in certificate input)":      {Cert: file("empty", nil), Key: key},
		"TLS_CLIENT_CA_FILE " + key + " has no certificate in it":                  {Cert: cert, Key: key, ClientCA: key},
	} {
		_, err := certificates.Open(files, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := certificates.Own(certificates.Files{Cert: cert, Key: dir + "/none"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Own without a key: %v", err)
	}
}
