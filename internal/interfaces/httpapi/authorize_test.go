package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// badge takes everybody for who they say they are: "Bearer SUBJECT|SCOPES|CUSTOMER".
func badge(r *http.Request) (access.Caller, error) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return access.Caller{}, fault.New(fault.Unauthenticated, "token_missing", "send a token")
	}
	parts := strings.SplitN(text, "|", 3)
	if len(parts) < 3 {
		return access.Caller{}, fault.New(fault.Unauthenticated, "token_invalid", `the "token" is no badge`)
	}
	return access.Caller{Subject: parts[0], Scopes: access.ScopesOf(strings.Fields(parts[1])...), Customer: parts[2]}, nil
}

func as(subject, scopes, customer string) string {
	return "Authorization: Bearer " + subject + "|" + scopes + "|" + customer
}

func guarded(t testing.TB) *service {
	t.Helper()
	return start(t, func(c *httpapi.Config, _ *memory.Store) {
		c.Identify = badge
		c.NameSubject = func(subject string) string { return "name of " + subject }
	})
}

// TestEveryOperationAsksForItsScope takes the operations from the document: a new one is tried as well.
func TestEveryOperationAsksForItsScope(t *testing.T) {
	s := guarded(t)
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string                `json:"operationId"`
			Security    []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(document(t, "/openapi.json"), &doc); err != nil {
		t.Fatal(err)
	}
	wrong := map[string][]string{
		"orders:read": {"", "orders:write", "orders:Read orders:*"}, "orders:write": {"", "orders:read"},
		"orders:admin": {"", "orders:read orders:write"},
	}
	seen := 0
	for path, methods := range doc.Paths {
		open := strings.HasPrefix(path, "/health")
		path = strings.NewReplacer("{order_id}", strings.Repeat("a", 24), "{subscriber}", subscriberName).Replace(path)
		for method, op := range methods {
			seen++
			method = strings.ToUpper(method)
			if open {
				if a := s.do(method, path, ""); a.status != 200 {
					t.Errorf("%s asks who calls: %d", op.OperationID, a.status)
				}
				continue
			}
			if len(op.Security) != 2 || len(op.Security[0]["bearerAuth"]) != 1 {
				t.Fatalf("%s %s says %v of its scope", method, path, op.Security)
			}
			need := op.Security[0]["bearerAuth"][0]
			a := s.do(method, path, "")
			if challenge := a.header.Get("WWW-Authenticate"); a.status != 401 || challenge != `Bearer realm="orders"` {
				t.Errorf("%s for nobody: %d, %q", op.OperationID, a.status, challenge)
			}
			a = s.do(method, path, "", "Authorization: Bearer nonsense")
			want := `Bearer realm="orders", error="invalid_token", error_description="the token is no badge"`
			if challenge := a.header.Get("WWW-Authenticate"); a.status != 401 || challenge != want {
				t.Errorf("%s with a bad token: %d, %q", op.OperationID, a.status, challenge)
			}
			for _, scopes := range wrong[need] {
				a := s.do(method, path, "", as("ana", scopes, ""))
				if a.status != 403 || decoded[wire.Problem](t, a).Code != "scope_missing" ||
					!strings.HasSuffix(a.header.Get("WWW-Authenticate"), `scope="`+need+`"`) {
					t.Errorf("%s with the scopes %q: %d %s", op.OperationID, scopes, a.status, a.body)
				}
			}
			for _, scopes := range []string{need, "orders:admin"} {
				if a := s.do(method, path, "", as("ana", scopes, "")); a.status == 401 || a.status == 403 {
					t.Errorf("%s with the scope %q: %d %s", op.OperationID, scopes, a.status, a.body)
				}
			}
		}
	}
	if seen < 14 {
		t.Errorf("only %d operations were tried", seen)
	}
}

func TestHistoryIsForAdmins(t *testing.T) {
	s := guarded(t)
	body := `{"orders":[` + tea + `]}`
	if a := s.do("POST", "/orders/batch?as_history=true", body, as("ana", "orders:write", "")); a.status != 403 {
		t.Errorf("without admin: %d %s", a.status, a.body)
	}
	if a := s.do("POST", "/orders/batch?as_history=true", body, as("ana", "orders:admin", "")); a.status != 200 {
		t.Errorf("with admin: %d %s", a.status, a.body)
	}
}

// TestOneCustomersCaller tries every way to what is another customer's.
func TestOneCustomersCaller(t *testing.T) {
	s := guarded(t)
	const both = "orders:read orders:write"
	mine, theirs := as("ana", both, "c-1"), as("ben", both, "c-2")
	place := func(customer, key, caller string) answer {
		t.Helper()
		return s.do("POST", "/orders", fmt.Sprintf(`{"customer_id":%q,"items":[{"sku":"TEA","quantity":1,"unit_price":1}]}`, customer),
			"Idempotency-Key: "+key, caller)
	}
	own, other := place("c-1", "k", mine), place("c-2", "k", theirs)
	if own.status != 201 || other.status != 201 {
		t.Fatalf("placed for themselves: %d %s, %d %s", own.status, own.body, other.status, other.body)
	}
	path := "/orders/" + decoded[wire.Order](t, other).ID
	const paid = `{"status":"PAID"}`
	if a := s.do("PATCH", path, paid, "Idempotency-Key: p", theirs); a.status != 200 {
		t.Fatalf("paid: %d %s", a.status, a.body)
	}

	for name, a := range map[string]answer{
		"read":             s.do("GET", path, "", mine),
		"read, known":      s.do("GET", path, "", `If-None-Match: "2"`, mine),
		"timeline":         s.do("GET", path+"/timeline", "", mine),
		"change":           s.do("PATCH", path, paid, mine),
		"change, repeated": s.do("PATCH", path, paid, "Idempotency-Key: p", mine),
		"change, stale":    s.do("PATCH", path, paid, `If-Match: "1"`, mine),
		"change to worse":  s.do("PATCH", path, `{"status":"PENDING"}`, mine),
	} {
		if a.status != 404 || decoded[wire.Problem](t, a).Code != "order_not_found" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := place("c-2", "new", mine); a.status != 403 || decoded[wire.Problem](t, a).Code != "customer_forbidden" {
		t.Errorf("placed for another: %d %s", a.status, a.body)
	}
	// The key was used by the same subject for c-1: what it made is not shown for c-2's sake, nor the other way round.
	if a := place("c-2", "k", as("ana", both, "c-2")); a.status != 422 || strings.Contains(a.body, decoded[wire.Order](t, own).ID) {
		t.Errorf("another customer's key: %d %s", a.status, a.body)
	}
	a := s.do("POST", "/orders/batch", `{"orders":[{"customer_id":"c-2","items":[{"sku":"A","quantity":1,"unit_price":1}]},`+
		`{"customer_id":"c-1","items":[{"sku":"A","quantity":1,"unit_price":1}]}]}`, mine)
	if results := decoded[wire.BatchResults](t, a).Results; a.status != 200 || results[0].Status != 403 || results[1].Status != 201 {
		t.Errorf("a batch for two: %d %s", a.status, a.body)
	}
	for query, want := range map[string]int{"": 2, "?customer_id=c-1": 2, "?customer_id=c-2": 0, "?status=PAID": 0, "?limit=1": 1} {
		a := s.do("GET", "/orders"+query, "", mine)
		if list := decoded[wire.OrderPage](t, a).Orders; len(list) != want || strings.Contains(a.body, "c-2") {
			t.Errorf("list %q: %s", query, a.body)
		}
	}
	if a := s.do("GET", "/orders/export?customer_id=c-1", "", mine); a.status != 403 {
		t.Errorf("export: %d", a.status)
	}
	if a := s.do("GET", path, "", as("root", "orders:admin", "")); a.status != 200 {
		t.Errorf("an admin: %d", a.status)
	}
	if lines := s.log.String(); strings.Contains(lines, `"subject":"ana"`) {
		t.Errorf("the log names the subject as it is: %s", lines)
	}
}

func TestNobodyIsAskedWhereNobodyIdentifies(t *testing.T) {
	s := start(t, nil)
	if a := s.do("GET", "/openapi.json", ""); strings.Contains(a.body, "securitySchemes") || strings.Contains(a.body, `"security"`) {
		t.Error("the document asks for what nobody checks")
	}
	if a := s.do("GET", "/deliveries", ""); a.status != 200 {
		t.Errorf("deliveries: %d", a.status)
	}
}
