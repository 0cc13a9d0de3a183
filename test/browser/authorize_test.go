package browser_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/program"
)

// TestAuthorize asks for the orders in /docs, first as nobody, then with a token that was given to "Authorize".
func TestAuthorize(t *testing.T) {
	b := open(t)
	dir := t.TempDir()
	var out bytes.Buffer
	err := bootstrap.Commands().Token(t.Context(), cli.Streams{Out: &out, Err: new(bytes.Buffer)}, cli.TokenOptions{
		Overrides: map[string]string{"DATA_DIR": dir}, Subject: "developer", Scopes: []string{"orders:read"}, Lifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	service := program.Start(t, dir, map[string]string{
		"AUTH": "jwt", "JWT_PUBLIC_KEY_FILE": filepath.Join(dir, "dev-token.pub.pem"), "JWT_ISSUER": "orders-dev", "JWT_AUDIENCE": "orders",
	})

	const operation = "#operations-Orders-listOrders"
	const status = operation + " .live-responses-table tbody .response-col_status"
	var first, second string
	b.run(
		chromedp.Navigate(service.URL+"/docs"),
		chromedp.WaitVisible(".swagger-ui .opblock"),
		chromedp.Click(operation+" .opblock-summary-control"),
		chromedp.WaitVisible(operation+" .btn.execute"),
		chromedp.Click(operation+" .btn.execute"),
		chromedp.WaitVisible(status),
		chromedp.Text(status, &first),
		chromedp.Click(operation+" .btn-clear"),
		chromedp.WaitNotPresent(status),

		chromedp.Click(".auth-wrapper .btn.authorize"),
		chromedp.WaitVisible("#auth-bearer-value"),
		chromedp.SendKeys("#auth-bearer-value", strings.TrimSpace(out.String())),
		chromedp.Click(".auth-container:has(#auth-bearer-value) .btn.authorize"),
		chromedp.WaitNotPresent("#auth-bearer-value"),
		chromedp.Click(".btn-done"),
		chromedp.Click(operation+" .btn.execute"),
		chromedp.WaitVisible(status),
		chromedp.Text(status, &second),
	)
	if !strings.HasPrefix(strings.TrimSpace(first), "401") || !strings.HasPrefix(strings.TrimSpace(second), "200") {
		t.Errorf("the page says %q without a token and %q with one, not 401 and 200", first, second)
	}
}
