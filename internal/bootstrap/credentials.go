package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/infrastructure/identity"
	"order-processing-service/internal/interfaces/cli"
)

// newKey is the work behind the command keys new.
func newKey(streams cli.Streams, o cli.KeyOptions) error {
	key, entry, err := identity.NewKey(o.Name, o.Scopes, o.Customer)
	if err != nil {
		return cli.UsageError{Err: err}
	}
	if o.JSON {
		text, err := json.Marshal(struct {
			Key   string            `json:"key"`
			Entry identity.KeyEntry `json:"entry"`
		}{key, entry}, jsontext.WithIndent("  "))
		if err != nil {
			return fmt.Errorf("print the key: %w", err)
		}
		fmt.Fprintf(streams.Out, "%s\n", text)
		return nil
	}
	text, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("print the key: %w", err)
	}
	fmt.Fprintf(streams.Out, "Key, shown this once:    %s\nEntry for API_KEYS_FILE:  %s\n", key, text)
	return nil
}

// token is the work behind the command token.
func token(ctx context.Context, streams cli.Streams, o cli.TokenOptions) error {
	c, err := load(ctx, o.Overrides)
	if err != nil {
		return err
	}
	switch {
	case c.Production():
		return cli.UsageError{Err: errors.New("APP_ENV=production: development tokens are not made there; get one from your identity provider")}
	case o.Customer != "" && c.JWTCustomerClaim == "":
		return cli.UsageError{Err: errors.New("--customer needs JWT_CUSTOMER_CLAIM; set it to the same name for the service and here, such as customer_id")}
	}
	key, err := identity.OpenDevKey(c.DataDir)
	if err != nil {
		return err
	}
	issuer, audience := cmp.Or(c.JWTIssuer, identity.DevIssuer), cmp.Or(c.JWTAudience, identity.DevAudience)
	text, err := key.Mint(identity.DevToken{
		Issuer: issuer, Audience: audience, Subject: o.Subject, Scopes: access.ScopesOf(o.Scopes...),
		Customer: o.Customer, CustomerClaim: c.JWTCustomerClaim, Issued: time.Now(), Lifetime: o.Lifetime,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(streams.Out, text)
	if isTerminal(streams.Err) {
		fmt.Fprintf(streams.Err, "The service takes it with: AUTH=jwt JWT_PUBLIC_KEY_FILE=%s JWT_ISSUER=%s JWT_AUDIENCE=%s orders serve\n",
			key.PublicFile, issuer, audience)
	}
	return nil
}
