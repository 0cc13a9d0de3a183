package browser_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var screenshotPath = flag.String("screenshot", "", "write a picture of /docs to this `path`, 1280 pixels wide")

// limit is how long a test may use the browser.
const limit = 5 * time.Minute

// The window, in pixels; a picture is as wide.
const width, height = 1280, 1440

// browser is a page in headless Chromium that notes what it asks the network for.
type browser struct {
	tb  testing.TB
	ctx context.Context

	mu    sync.Mutex
	asked []string
}

// open starts Chromium, and closes it when the test ends. Without Chromium the test is skipped, or fails if
// ORDERS_REQUIRE_BROWSER=1 says that there should be one.
func open(tb testing.TB) *browser {
	tb.Helper()
	path, err := find("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
	if err != nil {
		const message = "/docs is not tried in a browser: Chromium is not installed (Debian: apt-get install chromium)"
		if os.Getenv("ORDERS_REQUIRE_BROWSER") == "1" {
			tb.Fatal(message)
		}
		tb.Skip(message)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // as root there is none
		chromedp.DisableGPU,
		chromedp.WindowSize(width, height),
		// What a browser asks its maker for is not what the page asks for, but is left out all the same.
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("force-device-scale-factor", "1"),
		chromedp.WSURLReadTimeout(limit), // a machine that does much else starts it slowly
	)
	ctx, cancel := context.WithTimeout(tb.Context(), limit)
	tb.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	tb.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	tb.Cleanup(cancel)

	b := &browser{tb: tb, ctx: ctx}
	chromedp.ListenTarget(ctx, b.note)
	b.run(network.Enable())
	return b
}

// find returns the path of the first program that there is.
func find(names ...string) (string, error) {
	var errs []error
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// note keeps the URL of each request that the page makes, also of those that are then blocked.
func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	case *network.EventWebSocketCreated:
		b.asked = append(b.asked, e.URL)
	}
}

func (b *browser) requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.asked)
}

// run has the browser do something, and ends the test if it can't.
func (b *browser) run(actions ...chromedp.Action) {
	b.tb.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.tb.Fatalf("the browser: %v", err)
	}
}

// typeOver types text into a field in place of what is there, as a user would.
func typeOver(field, text string) chromedp.Action {
	return chromedp.Tasks{
		chromedp.Focus(field),
		chromedp.Evaluate(`document.activeElement.select()`, nil),
		input.InsertText(text),
	}
}

// screenshot writes a picture of the top of the page, if the flag asks for it.
func (b *browser) screenshot() {
	b.tb.Helper()
	if *screenshotPath == "" {
		return
	}
	var picture []byte
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		picture, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatPng).Do(ctx)
		return err
	}))
	if err := os.WriteFile(*screenshotPath, picture, 0o644); err != nil {
		b.tb.Fatal(err)
	}
}
