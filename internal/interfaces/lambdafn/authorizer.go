package lambdafn

import (
	"context"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/access"
)

// identified returns the context for the request of an event, with what API Gateway's authorizer says of the caller if there
// was one. Only AWS writes that part of an event, unless somebody may invoke the function directly.
func (e *event) identified(ctx context.Context, k kind) context.Context {
	if len(e.Context.Authorizer) == 0 || k == loadBalancer {
		return ctx
	}
	var authorizer map[string]any
	if json.Unmarshal(e.Context.Authorizer, &authorizer) != nil { // in a form that is yet to come
		return ctx
	}
	claims := claimsOf(authorizer, k)
	if len(claims) == 0 {
		return ctx
	}
	return access.WithClaims(ctx, claims)
}

// claimsOf returns the claims of the caller, in each of the forms that there are: those of a JWT or Cognito authorizer, what
// a Lambda authorizer's own code says, and for a signed request the ARN of who signed it, which says nothing of scopes.
func claimsOf(authorizer map[string]any, k kind) map[string]any {
	said := authorizer
	if k == httpAPI {
		said, _ = authorizer["lambda"].(map[string]any)
		if token, ok := authorizer["jwt"].(map[string]any); ok {
			said = token
		}
		if signer, ok := authorizer["iam"].(map[string]any); ok {
			return named(map[string]any{}, signer["userArn"])
		}
	}
	if claims, ok := said["claims"].(map[string]any); ok {
		return claims
	}
	return named(said, said["principalId"])
}

// named gives claims a subject unless they have one.
func named(claims map[string]any, subject any) map[string]any {
	if _, has := claims["sub"]; !has && subject != nil {
		claims["sub"] = subject
	}
	return claims
}
