package access

import "context"

type claimsKey struct{}

// WithClaims returns a context for a request of whom an authorizer in front of this program has identified, with what it
// says of the caller: claims of a token, by name. Only a way in that has them from the authorizer itself, never from the
// request, may call it.
func WithClaims(ctx context.Context, claims map[string]any) context.Context {
	return context.WithValue(ctx, claimsKey{}, claims)
}

// Claims returns what WithClaims was given; it is not ok where there was no authorizer.
func Claims(ctx context.Context) (claims map[string]any, ok bool) {
	claims, ok = ctx.Value(claimsKey{}).(map[string]any)
	return claims, ok
}
