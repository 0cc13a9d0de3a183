package browser_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/program"
)

// TestDocs is a developer's first minute: open /docs, look around, place an order with "Try it out".
func TestDocs(t *testing.T) {
	b := open(t)
	service := program.Start(t, t.TempDir(), nil)

	b.run(
		chromedp.Navigate(service.URL+"/docs"),
		chromedp.WaitVisible(".swagger-ui .opblock"),
	)
	if diff := cmp.Diff(described(t, service), shown(b)); diff != "" {
		t.Errorf("operations of /openapi.json (-) and on the page (+):\n%s", diff)
	}
	b.screenshot()

	const body = `{"customer_id":"c-browser","items":[{"sku":"TEA","quantity":2,"unit_price":12.5}]}`
	var status, answer string
	b.run(
		chromedp.Click(placeOrder+" .opblock-summary-control"),
		chromedp.WaitVisible(placeOrder+" textarea.body-param__text"),
		typeOver(placeOrder+" textarea.body-param__text", body),
		chromedp.Click(placeOrder+" .btn.execute"),
		chromedp.WaitVisible(placeOrder+" .live-responses-table .microlight"),
		chromedp.Text(placeOrder+" .live-responses-table tbody .response-col_status", &status),
		chromedp.TextContent(placeOrder+" .live-responses-table .microlight", &answer),
	)
	if status = strings.TrimSpace(status); !strings.HasPrefix(status, "201") {
		t.Fatalf("the page says %q, not 201: %s", status, answer)
	}
	var told placed
	if err := json.Unmarshal([]byte(answer), &told); err != nil {
		t.Fatalf("the page shows no order: %v\n%s", err, answer)
	}
	var kept placed
	service.Get(t, "/orders/"+told.ID, &kept)
	if diff := cmp.Diff(told, kept); diff != "" {
		t.Errorf("order on the page (-) and in the service (+):\n%s", diff)
	}
	if kept.CustomerID != "c-browser" || kept.Total != 25 {
		t.Errorf("the order is not the one that was typed: %+v", kept)
	}

	requests := b.requests()
	if len(requests) == 0 {
		t.Error("the browser told of no request, so none could be checked")
	}
	for _, url := range requests {
		if !strings.HasPrefix(url, service.URL+"/") && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asked another host: %s", url)
		}
	}
}

// placeOrder is the block of POST /orders.
const placeOrder = "#operations-Orders-placeOrder"

// placed is the part of an order that is compared.
type placed struct {
	ID         string  `json:"id"`
	CustomerID string  `json:"customer_id"`
	Total      float64 `json:"total"`
	Version    int     `json:"version"`
}

// described lists the operations of /openapi.json, as "POST /orders".
func described(t *testing.T, service *program.Program) []string {
	t.Helper()
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	service.Get(t, "/openapi.json", &document)
	var operations []string
	for path, methods := range document.Paths {
		for method := range methods {
			operations = append(operations, strings.ToUpper(method)+" "+path)
		}
	}
	if len(operations) == 0 {
		t.Fatal("/openapi.json describes no operation")
	}
	slices.Sort(operations)
	return operations
}

// shown lists the operations on the page in the same form.
func shown(b *browser) []string {
	b.tb.Helper()
	const list = `[...document.querySelectorAll(".opblock")].map(block =>
		block.querySelector(".opblock-summary-method").textContent.trim() + " " +
		block.querySelector("[data-path]").getAttribute("data-path"))`
	var operations []string
	b.run(chromedp.Evaluate(list, &operations))
	slices.Sort(operations)
	return operations
}
