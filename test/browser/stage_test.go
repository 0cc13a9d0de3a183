package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"order-processing-service/test/lambda"
)

func TestMain(m *testing.M) { lambda.Main(m) }

// TestDocsBehindAStage uses the page of a Lambda function behind a REST API, whose paths all begin with a stage that the
// function's own do not have; once as the page is linked to, and once with a slash behind it.
func TestDocsBehindAStage(t *testing.T) {
	r := lambda.NewRuntime(t)
	lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir()})
	gateways := map[string]*lambda.Gateway{
		"REST API": {Runtime: r, Kind: lambda.RESTAPI, Stage: "prod", Text: true},
		"HTTP API": {Runtime: r, Kind: lambda.HTTPAPI, Stage: "prod"},
	}
	for name, g := range gateways {
		for _, path := range []string{"/docs", "/docs/", "/"} {
			t.Run(name+path, func(t *testing.T) { useDocs(t, g.Listen(t), path) })
		}
	}
}

// useDocs places an order with "Try it out" and sees to it that the page asked for nothing outside its stage.
func useDocs(t *testing.T, stage, path string) {
	t.Helper()
	b := open(t)
	const body = `{"customer_id":"c-browser","items":[{"sku":"TEA","quantity":2,"unit_price":12.5}]}`
	var status string
	b.run(
		chromedp.Navigate(stage+path),
		chromedp.WaitVisible(".swagger-ui .opblock"),
		chromedp.Click(placeOrder+" .opblock-summary-control"),
		chromedp.WaitVisible(placeOrder+" textarea.body-param__text"),
		typeOver(placeOrder+" textarea.body-param__text", body),
		chromedp.Click(placeOrder+" .btn.execute"),
		chromedp.WaitVisible(placeOrder+" .live-responses-table .microlight"),
		chromedp.Text(placeOrder+" .live-responses-table tbody .response-col_status", &status),
	)
	if status = strings.TrimSpace(status); !strings.HasPrefix(status, "201") {
		t.Errorf("the page says %q, not 201", status)
	}
	placed := false
	for _, url := range b.requests() {
		if !strings.HasPrefix(url, stage+"/") && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asked outside its stage: %s", url)
		}
		placed = placed || url == stage+"/orders"
	}
	if !placed {
		t.Errorf("no request to %s/orders among %v", stage, b.requests())
	}
}
