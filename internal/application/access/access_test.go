package access_test

import (
	"testing"

	"order-processing-service/internal/application/access"
)

func TestScopes(t *testing.T) {
	tests := []struct {
		has  []string
		need access.Scopes
		want bool
	}{
		{nil, access.Read, false},
		{[]string{"orders:read"}, access.Read, true},
		{[]string{"orders:read"}, access.Write, false},
		{[]string{"orders:write"}, access.Read, false},
		{[]string{"orders:write", "orders:read"}, access.Read | access.Write, true},
		{[]string{"orders:read"}, access.Read | access.Write, false},
		{[]string{"orders:write", "orders:read"}, access.Admin, false},
		{[]string{"orders:admin"}, access.Read | access.Write | access.Admin, true},
		{[]string{"ORDERS:ADMIN", "orders:*", "orders", "orders:read orders:admin", ""}, access.Read, false},
	}
	for _, tt := range tests {
		if got := access.ScopesOf(tt.has...).Allow(tt.need); got != tt.want {
			t.Errorf("%q allow %q: %t", tt.has, tt.need, got)
		}
	}
	if got := access.ScopesOf(access.Names()...).String(); got != "orders:read orders:write orders:admin" {
		t.Errorf("all scopes are %q", got)
	}
}
