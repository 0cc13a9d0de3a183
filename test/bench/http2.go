package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// streamsPerConnection is how many requests are under way on a connection of HTTP/2; the service allows some more.
const streamsPerConnection = 100

// overHTTP2 makes askers that share connections of HTTP/2, so many each, on TLS.
type overHTTP2 struct {
	mu      sync.Mutex
	given   int
	current *http.Transport
}

func (o *overHTTP2) dial(ctx context.Context, addr string) (asker, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.given%streamsPerConnection == 0 {
		protocols := new(http.Protocols)
		protocols.SetHTTP2(true)
		o.current = &http.Transport{
			Protocols: protocols, MaxConnsPerHost: 1,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // it is the child's own certificate, on the loopback
		}
	}
	o.given++
	return &stream{ctx: ctx, transport: o.current, addr: addr}, nil
}

// stream makes requests of HTTP/2.
type stream struct {
	ctx       context.Context //nolint:containedctx // that of the load
	transport *http.Transport
	addr      string
	until     time.Time
	body      bytes.Buffer
}

func (s *stream) giveUpAt(t time.Time) error {
	s.until = t
	return nil
}

func (*stream) done() bool { return false }

func (s *stream) close() { s.transport.CloseIdleConnections() }

// do implements asker; request is as newRequest makes it.
func (s *stream) do(request []byte) (status int, body []byte, err error) {
	ctx, cancel := context.WithDeadline(s.ctx, s.until)
	defer cancel()
	line, rest, _ := bytes.Cut(request, []byte(" HTTP/1.1\r\n"))
	method, target, _ := bytes.Cut(line, []byte(" "))
	_, sent, _ := bytes.Cut(rest, []byte("\r\n\r\n"))
	r, err := http.NewRequestWithContext(ctx, string(method), "https://"+s.addr+string(target), bytes.NewReader(sent))
	if err != nil {
		return 0, nil, fmt.Errorf("make a request: %w", err)
	}
	if len(sent) > 0 {
		r.Header["Content-Type"] = []string{"application/json"}
	}
	answer, err := s.transport.RoundTrip(r)
	if err != nil {
		return 0, nil, fmt.Errorf("ask: %w", err)
	}
	defer answer.Body.Close()
	s.body.Reset()
	if _, err := io.Copy(&s.body, io.LimitReader(answer.Body, maxAnswer)); err != nil {
		return 0, nil, fmt.Errorf("read an answer: %w", err)
	}
	return answer.StatusCode, s.body.Bytes(), nil
}

// certificate makes one for the service, for as long as a run may take, and returns the settings that name it.
func (b *bench) certificate() (settings []string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(b.timeout + time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write a key: %w", err)
	}
	certFile, keyFile := b.path("cert"), b.path("key")
	return []string{"TLS_CERT_FILE=" + certFile, "TLS_KEY_FILE=" + keyFile}, errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}
