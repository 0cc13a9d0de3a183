package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"order-processing-service/internal/application/access"
)

// TokenOptions is what the command that makes a development token was told.
type TokenOptions struct {
	// Overrides are values of settings that flags gave, by variable name.
	Overrides map[string]string
	Subject   string
	Scopes    []string
	Customer  string // "" for none
	Lifetime  time.Duration
}

// maxTokenLifetime bounds a development token.
const maxTokenLifetime = 30 * 24 * time.Hour

func newToken(commands Commands, streams Streams) *cobra.Command {
	options := TokenOptions{Lifetime: time.Hour}
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make a token for trying the service on this machine",
		Long: `Make a token for trying the service on this machine, and print it. It is signed with a key in
the data folder, which is made with the first token.

The service takes it when it is started with these settings:
  AUTH=jwt JWT_PUBLIC_KEY_FILE=data/dev-token.pub.pem JWT_ISSUER=orders-dev JWT_AUDIENCE=orders

Where JWT_ISSUER, JWT_AUDIENCE or JWT_CUSTOMER_CLAIM are set, the token keeps to them. With
APP_ENV=production no token is made.`,
		Example: `  TOKEN=$(orders token)
  orders token --subject ana --scope orders:read --scope orders:write --lifetime 8h
  curl -H "Authorization: Bearer $(orders token)" http://127.0.0.1:8000/orders`,
		Args: noArguments,
	}
	cmd.Flags().StringVar(&options.Subject, "subject", "developer", "`name` of who calls")
	scopeFlag(cmd, &options.Scopes, " (default orders:admin)")
	cmd.Flags().StringVar(&options.Customer, "customer", "", "the one `customer` whose orders the token is for; needs JWT_CUSTOMER_CLAIM")
	cmd.Flags().Func("lifetime", "how `long` the token is good, from 1s to 720h (default 1h)", func(value string) (err error) {
		options.Lifetime, err = time.ParseDuration(value)
		if err != nil || options.Lifetime < time.Second || options.Lifetime > maxTokenLifetime {
			return errors.New("give a duration from 1s to 720h, such as 8h")
		}
		return nil
	})
	overrides := settingFlags(cmd, "DATA_DIR")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		options.Overrides = overrides()
		if len(options.Scopes) == 0 {
			options.Scopes = []string{access.Admin.String()}
		}
		return commands.Token(cmd.Context(), streams, options)
	}
	return cmd
}

// scopeFlag adds a flag for scopes, which may be given more than once or with several scopes parted by spaces or commas.
func scopeFlag(cmd *cobra.Command, target *[]string, note string) {
	names := strings.Join(access.Names(), ", ")
	cmd.Flags().Func("scope", "`scope` of what is allowed: "+names+"; more than one may be given"+note, func(value string) error {
		scopes := strings.FieldsFunc(value, func(c rune) bool { return c == ' ' || c == ',' })
		if len(scopes) == 0 {
			return fmt.Errorf("give one of %s", names)
		}
		for _, scope := range scopes {
			if !slices.Contains(access.Names(), scope) {
				return fmt.Errorf("give one of %s", names)
			}
			if !slices.Contains(*target, scope) {
				*target = append(*target, scope)
			}
		}
		return nil
	})
	_ = cmd.RegisterFlagCompletionFunc("scope", cobra.FixedCompletions(access.Names(), cobra.ShellCompDirectiveNoFileComp))
}
