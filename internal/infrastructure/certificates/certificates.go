// Package certificates has the service's TLS certificate, and what checks those of its clients, in files that may change
// while the service runs.
//
// Files are read anew by Renew. What was read replaces what is in use only if all of it is right, and only for connections that
// begin later: those that there are go on as they began.
package certificates

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxFile is how large each file may be, in bytes.
const maxFile = 1 << 20

// Files are the paths of PEM files.
type Files struct {
	// Cert is the service's certificate, and behind it those between it and its authority; Key is its private key.
	Cert, Key string
	// ClientCA is the authorities of clients' certificates; empty when clients need none. A client must then show one of them
	// for use by clients, or the service's own, which orders healthcheck does.
	ClientCA string
}

// Certificates is what was in the files last, when that was right. It is safe for concurrent use.
type Certificates struct {
	files Files
	log   *slog.Logger
	inUse atomic.Pointer[tls.Config]

	mu   sync.Mutex
	last texts // what the files held at the last look; guarded by mu
	bad  bool  // whether the last look found that it can't be used, and said so; guarded by mu
}

// texts are the contents of Files, nil for what can't be read.
type texts struct{ cert, key, clientCA []byte }

func (t texts) equal(other texts) bool {
	return bytes.Equal(t.cert, other.cert) && bytes.Equal(t.key, other.key) && bytes.Equal(t.clientCA, other.clientCA)
}

// Open reads the files. The error says in one line which file is wrong and what to do; it never shows what a file holds.
func Open(files Files, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{files: files, log: log}
	read, err := c.read()
	if err != nil {
		return nil, err
	}
	made, err := c.make(read)
	if err != nil {
		return nil, err
	}
	c.last = read
	c.inUse.Store(made)
	return c, nil
}

// Config is what a server needs: TLS 1.2 or newer, HTTP/2 if the client wants it, and the newest right certificate for each
// new connection.
func (c *Certificates) Config() *tls.Config {
	config := c.inUse.Load().Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.inUse.Load(), nil }
	return config
}

// Renew looks at the files and takes what they hold if it has changed and is right. Otherwise what is in use stays, and the log
// says why, once for each state of the files.
func (c *Certificates) Renew(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	read, err := c.read()
	if read.equal(c.last) && (err == nil || c.bad) {
		return nil
	}
	c.last = read
	var made *tls.Config
	if err == nil {
		made, err = c.make(read)
	}
	if c.bad = err != nil; c.bad {
		c.log.WarnContext(ctx, "the TLS certificate can't be renewed; the one in use stays", "error", err)
		return err
	}
	c.inUse.Store(made)
	c.log.InfoContext(ctx, "TLS certificate renewed", "file", c.files.Cert, "not_after", made.Certificates[0].Leaf.NotAfter.UTC().Format(time.RFC3339))
	return nil
}

// read reads all files, also behind one that can't be read.
func (c *Certificates) read() (texts, error) {
	var t texts
	var problems []error
	for _, f := range []struct {
		variable, path string
		into           *[]byte
	}{{"TLS_CERT_FILE", c.files.Cert, &t.cert}, {"TLS_KEY_FILE", c.files.Key, &t.key}, {"TLS_CLIENT_CA_FILE", c.files.ClientCA, &t.clientCA}} {
		if f.path == "" {
			continue
		}
		content, err := contents(f.path)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s %s can't be read (%w): name a readable PEM file", f.variable, f.path, err))
		}
		*f.into = content
	}
	if len(problems) > 0 {
		return t, problems[0] // one line is enough to go on with
	}
	return t, nil
}

// contents reads a file of bounded size. The error does not name it.
func contents(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close() //nolint:errcheck // what was only read has nothing to lose
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, reason(err)
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return content, nil
}

// reason is the error without the path.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// make makes a server's configuration of what the files hold.
func (c *Certificates) make(t texts) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(t.cert, t.key)
	if err != nil {
		return nil, fmt.Errorf("TLS_CERT_FILE %s and TLS_KEY_FILE %s are no pair (%w): give a certificate in PEM, its own first, and its private key",
			c.files.Cert, c.files.Key, err)
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair},
	}
	if c.files.ClientCA == "" {
		return config, nil
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(t.clientCA) {
		return nil, fmt.Errorf("TLS_CLIENT_CA_FILE %s has no certificate in it: give those of the authorities in PEM", c.files.ClientCA)
	}
	// Every connection shows its certificate anew, so that none goes on under an authority that is no longer there.
	config.SessionTicketsDisabled = true
	config.ClientAuth = tls.RequireAnyClientCert // which verified checks, as it knows one more than the authorities
	config.VerifyConnection = func(state tls.ConnectionState) error { return verified(state.PeerCertificates, authorities, pair.Leaf) }
	return config, nil
}

// verified checks a client's certificate. Whoever has the service's own has its private key as well, and is taken for the
// service itself.
func verified(chain []*x509.Certificate, authorities *x509.CertPool, own *x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("the client shows no certificate")
	}
	if chain[0].Equal(own) {
		return nil
	}
	between := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: authorities, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return fmt.Errorf("check the client's certificate: %w", err)
	}
	return nil
}

// Own returns how the service on this machine is asked by a program that has its files: only the very certificate in Cert is
// taken, whatever names and authority it has, and shown. Errors are those of Open.
func Own(files Files) (*tls.Config, error) {
	c := &Certificates{files: Files{Cert: files.Cert, Key: files.Key}}
	read, err := c.read()
	if err != nil {
		return nil, err
	}
	config, err := c.make(read)
	if err != nil {
		return nil, err
	}
	own := config.Certificates[0].Leaf
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: slices.Clone(config.Certificates),
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection checks more: it is that certificate and no other
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !state.PeerCertificates[0].Equal(own) {
				return fmt.Errorf("the certificate there is not the one in TLS_CERT_FILE %s", files.Cert)
			}
			return nil
		},
	}, nil
}
