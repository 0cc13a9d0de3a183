package httpapi_test

import (
	"strings"
	"testing"

	"order-processing-service/internal/application/wire"
)

func TestThePredecessorsAPI(t *testing.T) {
	s := start(t, nil)
	a := s.do("POST", "/orders", tea)
	placed := decoded[wire.Order](t, a)
	if a.status != 201 || placed.CustomerID != "c-1" || placed.Status != "PENDING" || placed.Total != "25.00" ||
		a.header.Get("Location") != "/orders/"+placed.ID || a.header.Get("ETag") != `"1"` {
		t.Errorf("placing: %d %s %v", a.status, a.body, a.header)
	}
	if a := s.do("GET", "/orders/"+placed.ID, ""); a.status != 200 || a.header.Get("ETag") != `"1"` {
		t.Errorf("reading: %d %s", a.status, a.body)
	}
	if a := s.do("PATCH", "/orders/"+placed.ID, `{"status":"PAID"}`); a.status != 200 || decoded[wire.Order](t, a).Version != 2 {
		t.Errorf("changing: %d %s", a.status, a.body)
	}
	if a := s.do("GET", "/orders/no-such-id", ""); a.status != 404 || decoded[wire.Problem](t, a).Error == "" {
		t.Errorf("a malformed id: %d %s", a.status, a.body)
	}
	if a := s.do("GET", "/health", ""); a.status != 200 || decoded[wire.Health](t, a).Status != "ok" {
		t.Errorf("health: %d %s", a.status, a.body)
	}
}

func TestPlaceAnOrderOnce(t *testing.T) {
	s := start(t, nil)
	const key = "Idempotency-Key: k-1"
	first := s.do("POST", "/orders", tea, key)
	id := decoded[wire.Order](t, first).ID
	s.do("PATCH", "/orders/"+id, `{"status":"PAID"}`)

	again := s.do("POST", "/orders", strings.ReplaceAll(tea, "12.50", `"12.5"`), key)
	o := decoded[wire.Order](t, again)
	if again.status != 201 || o.ID != id || o.Status != "PAID" || again.header.Get("Idempotent-Replayed") != "true" ||
		again.header.Get("Location") != "/orders/"+id || again.header.Get("ETag") != `"2"` {
		t.Errorf("the repeat: %d %s %v", again.status, again.body, again.header)
	}
	if first.header.Get("Idempotent-Replayed") != "" {
		t.Error("the first answer counts as replayed")
	}
	s.run(t, []scenario{
		{
			name: "another body", method: "POST", path: "/orders", headers: []string{key}, body: strings.ReplaceAll(tea, "12.50", "13"),
			status: 422, code: "idempotency_key_reused", lacks: []string{"Location", "Etag"},
		},
		{
			name: "two keys", method: "POST", path: "/orders", headers: []string{key, "Idempotency-Key: k-2"}, body: tea,
			status: 422, has: []string{"header.Idempotency-Key", "must be sent once"},
		},
		{
			name: "a key too long", method: "POST", path: "/orders", body: tea,
			headers: []string{"Idempotency-Key: " + strings.Repeat("k", 256)},
			status:  422, has: []string{"header.Idempotency-Key", "255"},
		},
		{
			name: "a key that is no ASCII", method: "POST", path: "/orders", headers: []string{"Idempotency-Key: ñ"}, body: tea,
			status: 422, has: []string{"header.Idempotency-Key"},
		},
	})
}

func TestReadAnOrder(t *testing.T) {
	s := start(t, nil)
	path := "/orders/" + s.place(tea).ID
	s.run(t, []scenario{
		{name: "in capitals", method: "GET", path: strings.ToUpper(path), status: 404, code: "route_not_found"},
		{
			name: "id in capitals", method: "GET", path: "/orders/" + strings.ToUpper(path[8:]),
			status: 200, has: []string{`"status":"PENDING"`, "Etag: \"1\"", "Cache-Control: no-cache"},
		},
		{
			name: "unchanged", method: "GET", path: path, headers: []string{`If-None-Match: "1"`},
			status: 304, has: []string{`Etag: "1"`}, lacks: []string{"customer_id", "Content-Type: "},
		},
		{name: "unchanged, weak", method: "GET", path: path, headers: []string{`If-None-Match: "7", W/"1"`}, status: 304},
		{name: "unchanged, any", method: "GET", path: path, headers: []string{`If-None-Match: *`}, status: 304},
		{name: "changed", method: "GET", path: path, headers: []string{`If-None-Match: "2"`}, status: 200},
		{name: "condition that can't be read", method: "GET", path: path, headers: []string{`If-None-Match: 1`}, status: 200},
		{
			name: "head", method: "HEAD", path: path,
			status: 200, has: []string{`Etag: "1"`, "Content-Length: 7"}, lacks: []string{"customer_id"},
		},
		{name: "unknown", method: "GET", path: nowhere, status: 404, code: "order_not_found"},
		{name: "malformed", method: "GET", path: "/orders/xyz", status: 404, code: "order_not_found"},
		{name: "malformed, escaped", method: "GET", path: "/orders/%00%ff", status: 404, code: "order_not_found"},
		{name: "with a query", method: "GET", path: path + "?full=1", status: 422, has: []string{"query.full", "there are none"}},
		{name: "timeline of an unknown", method: "GET", path: nowhere + "/timeline", status: 404, code: "order_not_found"},
	})
}

func TestChangeAnOrder(t *testing.T) {
	s := start(t, nil)
	path := "/orders/" + s.place(tea).ID
	patch := func(name, body string, status int, code string, has ...string) scenario {
		return scenario{name: name, method: "PATCH", path: path, body: body, status: status, code: code, has: has}
	}
	with := func(header string, c scenario) scenario {
		c.headers = []string{header}
		return c
	}
	s.run(t, []scenario{
		patch("a jump", `{"status":"SHIPPED"}`, 409, "status_not_allowed", "allowed now: PAID, CANCELED"),
		patch("an unknown status", `{"status":"paid"}`,
			422, "validation_failed", "body.status", "PENDING, PAID, SHIPPED, DELIVERED, CANCELED"),
		patch("nothing", `{}`, 422, "validation_failed", `"location":"body"`),
		patch("no body", ``, 400, "json_malformed", "is empty"),
		patch("the status it has", `{"status":"PENDING"}`, 200, "", `"version":1`, `Etag: "1"`),
		with(`If-Match: "2"`, patch("stale", `{"status":"PAID"}`, 412, "version_stale", "its version is 1 now")),
		with(`If-Match: W/"1"`, patch("a weak tag", `{"status":"PAID"}`, 412, "version_stale")),
		with(`If-Match: "abc"`, patch("a tag of something else", `{"status":"PAID"}`, 412, "version_stale")),
		with(`If-Match: 1`, patch("no tag", `{"status":"PAID"}`, 422, "validation_failed", "header.If-Match")),
		with(`If-Match: "9" , "1"`, patch("one of a list", `{"metadata":{"a":"1","b":"2"}}`,
			200, "", `"metadata":{"a":"1","b":"2"}`, `Etag: "2"`)),
		with(`If-Match: *`, patch("any", `{"metadata":{"a":null}}`, 200, "", `"metadata":{"b":"2"}`, `Etag: "3"`)),
		patch("metadata that breaks a rule", `{"metadata":{"`+strings.Repeat("k", 41)+`":"v"}}`,
			422, "validation_failed", `"location":"body.metadata"`),
		with("Idempotency-Key: k", patch("with a key", `{"status":"PAID"}`, 200, "", `"status":"PAID"`, `Etag: "4"`)),
		with("Idempotency-Key: k", patch("again", `{"status":"PAID"}`, 200, "", "Idempotent-Replayed: true", `Etag: "4"`)),
		with("Idempotency-Key: k", patch("with another body", `{"status":"CANCELED"}`, 422, "idempotency_key_reused")),
		patch("shipped", `{"status":"SHIPPED"}`, 200, "", `"fulfillment_status":"SHIPPED"`),
		patch("back", `{"status":"PENDING"}`, 409, "status_not_allowed", "allowed now: DELIVERED"),
		patch("delivered", `{"status":"DELIVERED"}`, 200, "", `"delivered":2`),
		patch("after the end", `{"status":"CANCELED"}`, 409, "status_not_allowed", "this status is the end"),
		{name: "unknown", method: "PATCH", path: nowhere, body: `{"status":"PAID"}`, status: 404, code: "order_not_found"},
		{
			name: "unknown with a condition", method: "PATCH", path: nowhere,
			body: `{"status":"PAID"}`, headers: []string{`If-Match: *`}, status: 404,
		},
		{name: "malformed id", method: "PATCH", path: "/orders/1", body: `{"status":"PAID"}`, status: 404, code: "order_not_found"},
	})

	a := s.do("GET", path+"/timeline", "")
	events := decoded[wire.Timeline](t, a).Events
	var types []string
	for i, e := range events {
		types = append(types, string(e.Type))
		if e.Sequence != i+1 || *e.Actor != "anonymous" || e.Data["orderId"] != path[8:] {
			t.Errorf("event %d is %+v", i+1, e)
		}
	}
	want := "OrderCreated OrderMetadataChanged " + "OrderMetadataChanged PaymentCaptured OrderStatusChanged FulfillmentCreated " +
		"FulfillmentShipped OrderStatusChanged FulfillmentDelivered OrderStatusChanged"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("the timeline has %s, want %s", got, want)
	}
}

func TestBatch(t *testing.T) {
	s := start(t, nil)
	keyed := strings.Replace(tea, "{", `{"idempotency_key":"b-1",`, 1)
	body := `{"orders":[` + strings.Join([]string{
		keyed, `{"customer_id":""}`, keyed, `{"customer_id":"a","customer_id":"a"}`, strings.Replace(keyed, "b-1", "ñ", 1), tea,
	}, ",") + `]}`
	a := s.do("POST", "/orders/batch?as_history=true", body)
	results := decoded[wire.BatchResults](t, a).Results
	if a.status != 200 || len(results) != 6 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for i, want := range []int{201, 422, 201, 400, 422, 201} {
		if results[i].Status != want || (want == 201) != (results[i].Order != nil) || (want != 201) != (results[i].Problem != nil) {
			t.Errorf("result %d is %+v, want %d", i, results[i], want)
		}
	}
	if results[0].Replayed || !results[2].Replayed || results[0].Order.ID != results[2].Order.ID {
		t.Errorf("the repeat is %+v", results[2])
	}
	for i, want := range map[int]string{
		1: "body.orders[1].customer_id", 3: "body.orders[3].customer_id", 4: "body.orders[4].idempotency_key",
	} {
		if p := results[i].Problem; len(p.Errors) == 0 || p.Errors[0].Location != want || p.RequestID != a.header.Get("X-Request-ID") {
			t.Errorf("problem %d is %+v, want it at %s", i, p, want)
		}
	}
	if a := s.do("GET", "/deliveries?state=waiting", ""); len(decoded[wire.DeliveryPage](t, a).Deliveries) != 0 {
		t.Errorf("history is to be told: %s", a.body)
	}

	thousand := `{"orders":[` + strings.Repeat(tea+",", 999) + tea + `]}`
	if a := s.do("POST", "/orders/batch", thousand); a.status != 200 || strings.Count(a.body, `{"status":201,`) != 1000 {
		t.Errorf("a thousand orders: %d %.200s", a.status, a.body)
	}
	s.run(t, []scenario{
		{
			name: "none", method: "POST", path: "/orders/batch", body: `{"orders":[]}`,
			status: 422, has: []string{"body.orders", "1 to 1000"},
		},
		{
			name: "too many", method: "POST", path: "/orders/batch", body: `{"orders":[` + strings.Repeat("{},", 1000) + `{}]}`,
			status: 422, has: []string{"not 1001"},
		},
		{name: "cut short", method: "POST", path: "/orders/batch", body: `{"orders":[{}`, status: 400, code: "json_malformed"},
		{
			name: "no flag", method: "POST", path: "/orders/batch?as_history=yes", body: `{"orders":[{}]}`,
			status: 422, has: []string{"query.as_history", "true, false"},
		},
		{
			name: "a key for all", method: "POST", path: "/orders/batch",
			headers: []string{"Idempotency-Key: k"}, body: `{"orders":[{}]}`,
			status: 422, has: []string{"header.Idempotency-Key", "its own"},
		},
		{
			name: "too large", method: "POST", path: "/orders/batch", body: `{"orders":["` + strings.Repeat("x", 8<<20) + `"]}`,
			status: 413, code: "body_too_large",
		},
	})
}
