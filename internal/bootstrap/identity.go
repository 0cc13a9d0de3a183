package bootstrap

import (
	"context"
	"errors"
	"time"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/identity"
	"order-processing-service/internal/interfaces/cli"
)

// refuseUnsafe refuses to start the API with settings that let in who should not be.
func refuseUnsafe(c *config.Config, inLambda bool) error {
	if c.Auth == config.AuthGateway && !inLambda {
		return cli.UsageError{Err: errors.New("AUTH=gateway believes what API Gateway says of who calls, which reaches AWS Lambda only; " +
			"set AUTH=jwt or AUTH=keys here")}
	}
	if err := c.Unsafe(true, !inLambda); err != nil {
		return cli.UsageError{Err: err}
	}
	return nil
}

// openIdentity makes the part that finds out who calls; none when nobody is asked. Its error is a usage error.
func (p *core) openIdentity(ctx context.Context) (err error) {
	c := p.config
	if c.Auth == config.AuthNone {
		return nil
	}
	var callers identity.Callers
	switch c.Auth {
	case config.AuthGateway:
		callers.Gateway = &identity.Gateway{CustomerClaim: c.JWTCustomerClaim}
	case config.AuthJWT:
		keys, err := p.tokenKeys(ctx)
		if err != nil {
			return cli.UsageError{Err: err}
		}
		callers.Tokens = identity.NewTokens(identity.TokensConfig{
			Issuer: c.JWTIssuer, Audience: c.JWTAudience, CustomerClaim: c.JWTCustomerClaim, Now: time.Now,
		}, keys)
	}
	p.callers = &callers // what it has so far is closed with the rest
	if c.APIKeysFile != "" {
		if callers.Keys, err = identity.NewKeys(c.APIKeysFile, p.log, time.Now); err != nil {
			return cli.UsageError{Err: err}
		}
	}
	return nil
}

// tokenKeys are the keys that tokens are checked with.
func (p *core) tokenKeys(ctx context.Context) (identity.KeySource, error) {
	switch c := p.config; {
	case c.JWTJWKSURL != "":
		return identity.ProviderKeys(ctx, identity.ProviderConfig{
			URL: c.JWTJWKSURL, CAFile: c.JWTJWKSCAFile, Refresh: c.JWTJWKSRefresh, Log: p.log, Now: time.Now,
		})
	case c.JWTJWKSFile != "":
		return identity.FileKeys(c.JWTJWKSFile, p.log, time.Now)
	default:
		return identity.PEMKeys(c.JWTPublicKeyFile, p.log, time.Now)
	}
}
