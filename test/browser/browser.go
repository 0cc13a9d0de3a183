// Package browser tries /docs in a real browser: headless Chromium.
package browser
