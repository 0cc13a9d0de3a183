// Package authority makes certificates for tests.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

// Pair is a certificate and its private key, in PEM.
type Pair struct{ Cert, Key []byte }

// New makes an authority.
func New(tb testing.TB) *Authority {
	tb.Helper()
	template := template(tb, "authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	key := newKey(tb)
	der := sign(tb, template, template, &key.PublicKey, key)
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &Authority{certificate, key, encoded("CERTIFICATE", der)}
}

// PEM is the authority's own certificate.
func (a *Authority) PEM() []byte { return a.pem }

// Pool has the authority in it.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Server makes a certificate for a server on this machine.
func (a *Authority) Server(tb testing.TB) Pair {
	tb.Helper()
	return a.issue(tb, x509.ExtKeyUsageServerAuth, 0)
}

// Client makes a certificate for a client. One that is old has run out.
func (a *Authority) Client(tb testing.TB, old time.Duration) tls.Certificate {
	tb.Helper()
	return a.issue(tb, x509.ExtKeyUsageClientAuth, old).TLS(tb)
}

// SelfSigned makes a certificate for a server that nobody vouches for.
func SelfSigned(tb testing.TB) Pair {
	tb.Helper()
	t, key := template(tb, "alone"), newKey(tb)
	t.DNSNames = []string{"elsewhere.example"}
	return pair(tb, sign(tb, t, t, &key.PublicKey, key), key)
}

func (a *Authority) issue(tb testing.TB, usage x509.ExtKeyUsage, old time.Duration) Pair {
	tb.Helper()
	t, key := template(tb, "issued"), newKey(tb)
	t.NotBefore, t.NotAfter = t.NotBefore.Add(-old), t.NotAfter.Add(-old)
	t.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	t.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	return pair(tb, sign(tb, t, a.certificate, &key.PublicKey, a.key), key)
}

// TLS is the pair as connections use it.
func (p Pair) TLS(tb testing.TB) tls.Certificate {
	tb.Helper()
	certificate, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return certificate
}

// Write writes the pair to cert.pem and key.pem in dir, and returns the paths.
func (p Pair) Write(tb testing.TB, dir string) (cert, key string) {
	tb.Helper()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	Replace(tb, key, p.Key)
	Replace(tb, cert, p.Cert)
	return cert, key
}

// Replace puts a file in the place of another at once, as those do who renew certificates.
func Replace(tb testing.TB, path string, content []byte) {
	tb.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		tb.Fatal(err)
	}
}

func template(tb testing.TB, name string) *x509.Certificate {
	tb.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		tb.Fatal(err)
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func sign(tb testing.TB, template, parent *x509.Certificate, public *ecdsa.PublicKey, by *ecdsa.PrivateKey) []byte {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func pair(tb testing.TB, der []byte, key *ecdsa.PrivateKey) Pair {
	tb.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return Pair{encoded("CERTIFICATE", der), encoded("PRIVATE KEY", private)}
}

func encoded(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
