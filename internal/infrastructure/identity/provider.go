package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// askPause is the least time between two looks at the provider's keys that tokens with an unknown key cause.
	askPause = time.Minute
	// fetchTimeout bounds one look at them.
	fetchTimeout = 5 * time.Second
	// firstRetry is the pause after the first look that was in vain; it doubles up to askPause.
	firstRetry = time.Second
)

// ProviderConfig says where an identity provider publishes its keys. All fields but CAFile are needed.
type ProviderConfig struct {
	// URL of the JSON Web Key Set. Nobody on the way there may be able to change an answer: https, or http on the loopback
	// interface.
	URL string
	// CAFile is a PEM file of the authorities that the provider's certificate is checked against; "" for those of the system.
	CAFile string
	// Refresh is the time between two looks for new keys.
	Refresh time.Duration
	Log     *slog.Logger
	// Now is the clock by which unknown keys are asked for.
	Now func() time.Time
}

// provider has the keys of an identity provider. It looks for new ones again and again in the background, and when a token
// has an unknown key. While the provider is away the last known keys stay in force.
type provider struct {
	ProviderConfig

	client *http.Client
	shown  string // the URL as the log may have it
	keys   atomic.Pointer[keySet]
	end    context.CancelFunc
	ended  sync.WaitGroup

	mu      sync.Mutex
	flight  *flight   // the look that is under way; nil for none
	asked   time.Time // when an unknown key last caused a look
	failing bool
	work    context.Context //nolint:containedctx // of the looks, which outlive the requests that cause them
}

// flight is a look at the provider's keys.
type flight struct {
	done chan struct{} // closed when it has ended
	ok   bool          // once it is done
}

// ProviderKeys are the keys of an identity provider. It waits for the first look at them until ctx ends, at most for five
// seconds; a provider that is away is no error.
func ProviderKeys(ctx context.Context, c ProviderConfig) (KeySource, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		text, err := readBounded(c.CAFile)
		if err != nil {
			return KeySource{}, fmt.Errorf("JWT_JWKS_CA_FILE=%q: %w", c.CAFile, err)
		}
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(text) {
			return KeySource{}, fmt.Errorf("JWT_JWKS_CA_FILE=%q: the file has no certificate in PEM form", c.CAFile)
		}
	}
	p := &provider{ProviderConfig: c, shown: withoutSecrets(c.URL), client: &http.Client{
		Timeout: fetchTimeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: fetchTimeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	p.work, p.end = context.WithCancel(context.WithoutCancel(ctx))
	first := p.look()
	first.wait(ctx)
	p.ended.Go(func() { p.refresh(first) })
	return KeySource{p}, nil
}

func (p *provider) current(context.Context) *keySet { return p.keys.Load() }

// renewed looks for newer keys if no token made it look within the last minute. A look that was under way already may have
// begun before the key was published, so it is waited for and not counted.
func (p *provider) renewed(ctx context.Context) *keySet {
	before := p.keys.Load()
	p.mu.Lock()
	under := p.flight
	p.mu.Unlock()
	if under != nil {
		under.wait(ctx)
		if now := p.keys.Load(); now != before {
			return now
		}
	}
	p.mu.Lock()
	now := p.Now()
	if p.flight == nil && !p.asked.IsZero() && now.Sub(p.asked) < askPause {
		p.mu.Unlock()
		return p.keys.Load()
	}
	if p.flight == nil {
		p.asked = now
	}
	p.mu.Unlock()
	p.look().wait(ctx)
	return p.keys.Load()
}

// look begins a look at the provider's keys, unless one is under way.
func (p *provider) look() *flight {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flight != nil {
		return p.flight
	}
	f := &flight{done: make(chan struct{})}
	if p.work.Err() != nil {
		close(f.done)
		return f
	}
	p.flight = f
	p.ended.Go(func() {
		set, err := p.fetch(p.work)
		p.mu.Lock()
		defer p.mu.Unlock()
		if err == nil {
			p.keys.Store(set)
			f.ok = true
		}
		p.tell(err)
		p.flight = nil
		close(f.done)
	})
	return f
}

// wait waits for the look until ctx ends.
func (f *flight) wait(ctx context.Context) {
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

// tell tells the log when the provider goes away and when it comes back; mu is held.
func (p *provider) tell(err error) {
	if p.work.Err() != nil {
		return
	}
	switch {
	case err != nil && p.keys.Load() == nil:
		p.Log.WarnContext(p.work, "No keys to check tokens with; nobody with a token is let in until there are", "url", p.shown, "error", err)
	case err != nil && !p.failing:
		p.Log.WarnContext(p.work, "Keys to check tokens with can't be renewed; the last known ones stay in force", "url", p.shown, "error", err)
	case err == nil && p.failing:
		p.Log.InfoContext(p.work, "Keys to check tokens with are there again", "url", p.shown)
	}
	p.failing = err != nil
}

// refresh looks for new keys until close: every Refresh, and sooner after a look that was in vain.
func (p *provider) refresh(f *flight) {
	retry := firstRetry
	for {
		f.wait(p.work)
		pause := p.Refresh
		if p.work.Err() != nil {
			return
		}
		if f.ok {
			retry = firstRetry
		} else {
			pause, retry = min(retry, p.Refresh), min(2*retry, askPause)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-p.work.Done():
			timer.Stop()
			return
		}
		f = p.look()
	}
}

// fetch gets the keys from the provider.
func (p *provider) fetch(ctx context.Context) (*keySet, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, http.NoBody) //nolint:gosec // the operator says where
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", withoutURL(err))
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := p.client.Do(request) //nolint:gosec // the operator says where, and no redirect is followed
	if err != nil {
		return nil, fmt.Errorf("ask the provider: %w", withoutURL(err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the provider answers %d; JWT_JWKS_URL must be where its keys are, without a redirect", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the provider's answer: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("the provider's answer is larger than %d bytes", maxFile)
	}
	set, err := parseJWKS(text)
	if err != nil {
		return nil, fmt.Errorf("the provider's answer can't be used: %w", err)
	}
	return set, nil
}

// withoutSecrets returns the scheme, the host and the path of an address: a user, a query and a fragment may be secrets.
func withoutSecrets(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// withoutURL returns what went wrong without the address to which it happened.
func withoutURL(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	return err
}

func (p *provider) close() {
	p.mu.Lock() // a look that begins after this sees that it is over
	p.end()
	p.mu.Unlock()
	p.ended.Wait()
	p.client.CloseIdleConnections()
}
