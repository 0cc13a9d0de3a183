package identity_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jws/jwsbb"
	"go.uber.org/goleak"

	"order-processing-service/internal/infrastructure/identity"
)

// named is a key with an id.
type named struct {
	id      string
	private ed25519.PrivateKey
}

func newNamed(t *testing.T, id string) named {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return named{id, private}
}

func (k named) token(t *testing.T, audience string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(fmt.Appendf(nil, `{"alg":"EdDSA","kid":%q}`, k.id)) + "." +
		encode(fmt.Appendf(nil, `{"iss":"i","aud":%q,"sub":"ana","exp":%d}`, audience, now.Add(time.Hour).Unix()))
	signature, err := jwsbb.Sign(k.private, "EdDSA", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(signature)
}

// publisher publishes keys, and counts how often it is asked.
type publisher struct {
	asked atomic.Int64
	wait  atomic.Pointer[chan struct{}] // what an answer waits for; nil for nothing

	mu   sync.Mutex
	keys []named
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	if wait := p.wait.Load(); wait != nil {
		select {
		case <-*wait:
		case <-r.Context().Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprint(w, `{"keys":[`)
	for i, k := range p.keys {
		if i > 0 {
			fmt.Fprint(w, ",")
		}
		public := k.private.Public().(ed25519.PublicKey) //nolint:forcetypeassert,errcheck // it is no other
		fmt.Fprintf(w, `{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}`, k.id, base64.RawURLEncoding.EncodeToString(public))
	}
	fmt.Fprint(w, `]}`)
}

func (p *publisher) publish(k named) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, k)
}

// on returns what checks tokens with the publisher's keys, and asks for them again in the background only after a day.
func (p *publisher) on(t *testing.T, now func() time.Time) *identity.Tokens {
	t.Helper()
	server := httptest.NewServer(p)
	keys, err := identity.ProviderKeys(t.Context(), identity.ProviderConfig{
		URL: server.URL, Refresh: 24 * time.Hour, Log: slog.New(slog.DiscardHandler), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	tokens := identity.NewTokens(identity.TokensConfig{Issuer: "i", Audience: "a", Now: now}, keys)
	t.Cleanup(func() {
		(&identity.Callers{Tokens: tokens}).Close()
		server.Close()
		left := goleak.Find()
		for limit := time.Now().Add(10 * time.Second); left != nil && time.Now().Before(limit); {
			left = goleak.Find()
		}
		if left != nil {
			t.Error(left)
		}
	})
	return tokens
}

// An unknown key asks once a minute, whoever brings it; a token that would be refused all the same never asks.
func TestUnknownKeyAsksOnceAMinute(t *testing.T) {
	first, second, third := newNamed(t, "first"), newNamed(t, "second"), newNamed(t, "third")
	p := &publisher{keys: []named{first}}
	c := &clock{now}
	tokens := p.on(t, c.now)
	check := func(what string, k named, audience, code string, asked int64) {
		t.Helper()
		if _, err := tokens.Identify(t.Context(), k.token(t, audience)); codeOf(err) != code || p.asked.Load() != asked {
			t.Errorf("%s: %v, want %q; asked %d times, want %d", what, err, code, p.asked.Load(), asked)
		}
	}
	check("known", first, "a", "", 1)
	check("for somebody else", second, "b", "token_invalid", 1)
	p.publish(second)
	check("published", second, "a", "", 2)
	check("not published", third, "a", "token_invalid", 2)
	p.publish(third)
	c.at = now.Add(59 * time.Second)
	check("within the minute", third, "a", "token_invalid", 2)
	c.at = now.Add(time.Minute)
	check("after the minute", third, "a", "", 3)
}

// Many tokens with a new key wait for one look; who gives up waiting does not end it for the others.
func TestOneLookForMany(t *testing.T) {
	first, second := newNamed(t, "first"), newNamed(t, "second")
	p := &publisher{keys: []named{first}}
	c := &clock{now}
	tokens := p.on(t, c.now)
	p.publish(second)
	answer := make(chan struct{})
	p.wait.Store(&answer)

	known, token := first.token(t, "a"), second.token(t, "a") // made before the look, which takes only so long

	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tokens.Identify(impatient, token); codeOf(err) != "token_invalid" {
		t.Errorf("who did not wait: %v", err)
	}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := tokens.Identify(t.Context(), token); err != nil {
				t.Errorf("who waited: %v", err)
			}
		})
	}
	if _, err := tokens.Identify(t.Context(), known); err != nil {
		t.Errorf("a known key waits for nothing: %v", err)
	}
	close(answer)
	group.Wait()
	if p.asked.Load() != 2 {
		t.Errorf("asked %d times, not at the start and once more", p.asked.Load())
	}
}

// What the address has of secrets is not for the log: whether the provider refuses, is not there, or is there again.
func TestSecretsOfTheAddress(t *testing.T) {
	down := new(atomic.Bool)
	p := &publisher{keys: []named{newNamed(t, "first")}}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		p.ServeHTTP(w, r)
	}))
	defer provider.Close()
	for _, base := range []string{provider.URL, "http://127.0.0.1:1"} {
		var log strings.Builder
		down.Store(true)
		address := strings.Replace(base, "http://", "http://ana:s3cret@", 1)
		keys, err := identity.ProviderKeys(t.Context(), identity.ProviderConfig{
			URL: address + "/tenant/keys?api-key=s3cret#s3cret", Refresh: 24 * time.Hour, Log: slog.New(slog.NewJSONHandler(&log, nil)),
			Now: func() time.Time { return now },
		})
		if err != nil {
			t.Fatal(err)
		}
		down.Store(false)
		tokens := identity.NewTokens(identity.TokensConfig{Issuer: "i", Audience: "a", Now: func() time.Time { return now }}, keys)
		_, _ = tokens.Identify(t.Context(), newNamed(t, "second").token(t, "a")) // has it look again
		(&identity.Callers{Tokens: tokens}).Close()
		again := strings.Contains(log.String(), "are there again")
		if got := log.String(); strings.Contains(got, "s3cret") || !strings.Contains(got, `"url":"`+base+`/tenant/keys"`) || again != (base == provider.URL) {
			t.Errorf("%s: the log has %s", base, got)
		}
	}
}
