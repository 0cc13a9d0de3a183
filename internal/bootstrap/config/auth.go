package config

import (
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// The values of AUTH.
const (
	AuthNone    = "none"
	AuthJWT     = "jwt"
	AuthGateway = "gateway"
	AuthKeys    = "keys"
)

// checkAuth holds the rules of the settings that say who may call.
func (l *loading) checkAuth() {
	if l.JWTJWKSURL != "" && !secureAddress(l.JWTJWKSURL) {
		l.reject("JWT_JWKS_URL")
	}
	sources := 0
	for _, source := range []string{l.JWTJWKSURL, l.JWTJWKSFile, l.JWTPublicKeyFile} {
		if source != "" {
			sources++
		}
	}
	const which = "JWT_JWKS_URL, JWT_JWKS_FILE and JWT_PUBLIC_KEY_FILE"
	l.need(sources <= 1, "JWT_JWKS_URL", "more than one of "+which+" is set; keep the one that tokens are to be checked with")
	l.need(l.JWTJWKSCAFile == "" || l.JWTJWKSURL != "", "JWT_JWKS_CA_FILE",
		"JWT_JWKS_CA_FILE is of use with JWT_JWKS_URL only; set that, or leave the file out")
	if l.Auth == AuthJWT {
		l.need(sources > 0, "JWT_JWKS_URL", "AUTH=jwt needs keys to check tokens with; set one of "+which)
		l.need(l.JWTIssuer != "", "JWT_ISSUER", "AUTH=jwt needs JWT_ISSUER; give the issuer of tokens as their claim iss has it")
		l.need(l.JWTAudience != "", "JWT_AUDIENCE", "AUTH=jwt needs JWT_AUDIENCE; give the name of this service as the claim aud of tokens has it")
	}
	l.need(l.Auth != AuthKeys || l.APIKeysFile != "", "API_KEYS_FILE", "AUTH=keys needs API_KEYS_FILE; give a file with what 'orders keys new' prints")
	l.need(l.Auth != AuthNone || l.APIKeysFile == "", "API_KEYS_FILE",
		"API_KEYS_FILE is set, but AUTH=none lets everybody in; set AUTH=keys (or jwt, or gateway), or leave the file out")
	l.need(l.OrdersToken == "" || l.OrdersAPIKey == "", "ORDERS_TOKEN", "ORDERS_TOKEN and ORDERS_API_KEY are both set; keep one of them")
}

// secureAddress reports whether nobody on the way can change what is got from an address.
func secureAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// defaultPassword is that of MONGO_PASSWORD, which everybody knows.
const defaultPassword = "secret"

// What 'orders token' makes tokens with, for which everybody who has the data folder can make more.
const (
	devIssuer  = "orders-dev"
	devKeyFile = "dev-token.pub.pem"
)

// Production reports whether APP_ENV says that the service is run for real.
func (c *Config) Production() bool { return c.AppEnv == "production" }

// Unsafe returns what must not be in production, a line for each thing; nil elsewhere. An API is asked who calls; one that
// listens by itself, not in Lambda, has an address.
func (c *Config) Unsafe(hasAPI, listens bool) error {
	if !c.Production() {
		return nil
	}
	var problems []error
	object := func(problem string) { problems = append(problems, errors.New("APP_ENV=production: "+problem)) }
	if hasAPI && c.Auth == AuthNone {
		object("AUTH=none lets everybody do everything; set AUTH=jwt, AUTH=keys, or AUTH=gateway in Lambda")
	}
	if hasAPI && c.Auth == AuthJWT && c.JWTIssuer == devIssuer {
		object("JWT_ISSUER=" + devIssuer + " is the issuer of development tokens; set it to that of your identity provider")
	}
	if hasAPI && c.Auth == AuthJWT && filepath.Base(c.JWTPublicKeyFile) == devKeyFile {
		object("JWT_PUBLIC_KEY_FILE=" + c.JWTPublicKeyFile + " is the key of development tokens; set JWT_JWKS_URL, JWT_JWKS_FILE or " +
			"JWT_PUBLIC_KEY_FILE to the keys of your identity provider")
	}
	if c.signsInByDefault() {
		object("the password of MongoDB is the default one, which everybody knows; change it in MongoDB and " +
			"set MONGO_PASSWORD, MONGO_PASSWORD_FILE or MONGO_URI")
	}
	if hasAPI && listens && !isLoopback(c.Host) && !c.TrustProxy && !c.UsesTLS() {
		object("HOST=" + c.Host + " can be reached from other machines, and tokens would cross the network for all to read; " +
			"set TLS_CERT_FILE and TLS_KEY_FILE, or put a proxy that speaks TLS in front and set TRUST_PROXY=true, or set HOST=127.0.0.1")
	}
	return errors.Join(problems...)
}

// signsInByDefault reports whether MongoDB is signed in to with the default password.
func (c *Config) signsInByDefault() bool {
	if c.MongoURI == "" {
		return c.MongoHost != "" && c.MongoUser != "" && string(c.MongoPassword) == defaultPassword
	}
	// net/url can't read a list of hosts with ports; who signs in stands before the last @ of the first part.
	_, rest, _ := strings.Cut(string(c.MongoURI), "://")
	rest, _, _ = strings.Cut(rest, "/")
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return false
	}
	_, password, _ := strings.Cut(rest[:at], ":")
	plain, err := url.PathUnescape(password)
	return err == nil && plain == defaultPassword
}
